// Modules of torch.nn that a graph may call: each is the function it wraps, with its parameters read from the weights.
import { UserError } from '../../base/errors.ts'
import type { Tensor } from '../../ir/tensor.ts'
import { type FxArg, NONE } from '../fx-graph.ts'
import type { Module } from '../module-tree.ts'

/** How to write a module as a call: the target, arguments after the input, and parameters by keyword. */
export interface ModuleCall {
  readonly target: string
  readonly args: readonly FxArg[]
  readonly kwargs: readonly (readonly [string, FxArg])[]
  /** Keyword -> name of a parameter or buffer under the module's path. */
  readonly parameters: Readonly<Record<string, string>>
}

const AFFINE = { weight: 'weight', bias: 'bias' }
const NORM = { ...AFFINE, running_mean: 'running_mean', running_var: 'running_var' }
const F = 'torch.nn.functional.'

type Spelling = (m: Module) => Omit<ModuleCall, 'target'> & { readonly name: string }

/** Keyword arguments that the function takes too; positions are those of the module's own `repr`. */
function passing(
  name: string,
  keys: readonly (readonly [string, number])[],
  parameters: ModuleCall['parameters'] = {},
): Spelling {
  return (m) => ({ name, args: [], kwargs: keys.flatMap(([k, at]) => given(m, k, at)), parameters })
}

function given(m: Module, name: string, position: number): (readonly [string, FxArg])[] {
  const value = m.kwargs.get(name) ?? (position >= 0 ? m.args[position] : undefined)
  return value === undefined ? [] : [[name, value]]
}

const keywords = (...names: string[]) => names.map((n) => [n, -1] as const)
const activation = (name: string, ...keys: string[]) => passing(name, keywords(...keys))
const conv = (name: string) => passing(name, keywords('stride', 'padding', 'dilation', 'groups'), AFFINE)
const convTranspose = (name: string) =>
  passing(name, keywords('stride', 'padding', 'output_padding', 'groups', 'dilation'), AFFINE)
const batchNorm = passing('batch_norm', keywords('eps'), NORM)
const pool = (name: string, ...keys: string[]) =>
  passing(name, [['kernel_size', 0], ...keywords('stride', 'padding', 'dilation', 'ceil_mode', ...keys)])
const adaptive = (name: string) => passing(name, [['output_size', 0]])
const identity: Spelling = () => ({ name: 'identity', args: [], kwargs: [], parameters: {} })

const SPELLINGS: Readonly<Record<string, Spelling>> = {
  Linear: passing('linear', [], AFFINE),
  Conv1d: conv('conv1d'),
  Conv2d: conv('conv2d'),
  Conv3d: conv('conv3d'),
  ConvTranspose1d: convTranspose('conv_transpose1d'),
  ConvTranspose2d: convTranspose('conv_transpose2d'),
  BatchNorm1d: batchNorm,
  BatchNorm2d: batchNorm,
  BatchNorm3d: batchNorm,
  LayerNorm: (m) => ({
    name: 'layer_norm',
    args: [m.args[0] ?? NONE],
    kwargs: given(m, 'eps', -1),
    parameters: AFFINE,
  }),
  RMSNorm: (m) => ({
    name: 'rms_norm',
    args: [m.args[0] ?? NONE],
    kwargs: given(m, 'eps', -1),
    parameters: { weight: 'weight' },
  }),
  GroupNorm: (m) => ({
    name: 'group_norm',
    args: [m.args[0] ?? NONE],
    kwargs: given(m, 'eps', -1),
    parameters: AFFINE,
  }),
  InstanceNorm2d: passing('instance_norm', keywords('eps'), AFFINE),
  Embedding: passing('embedding', [], { weight: 'weight' }),
  PReLU: passing('prelu', [], { weight: 'weight' }),
  ReLU: activation('relu'),
  ReLU6: activation('relu6'),
  Sigmoid: activation('sigmoid'),
  Tanh: activation('tanh'),
  GELU: activation('gelu', 'approximate'),
  SiLU: activation('silu'),
  Mish: activation('mish'),
  Hardswish: activation('hardswish'),
  Hardsigmoid: activation('hardsigmoid'),
  Hardtanh: activation('hardtanh', 'min_val', 'max_val'),
  ELU: activation('elu', 'alpha'),
  SELU: activation('selu'),
  LeakyReLU: activation('leaky_relu', 'negative_slope'),
  Softplus: activation('softplus', 'beta'),
  LogSigmoid: activation('logsigmoid'),
  Softmax: activation('softmax', 'dim'),
  LogSoftmax: activation('log_softmax', 'dim'),
  MaxPool1d: pool('max_pool1d'),
  MaxPool2d: pool('max_pool2d'),
  AvgPool1d: pool('avg_pool1d', 'count_include_pad'),
  AvgPool2d: pool('avg_pool2d', 'count_include_pad'),
  AdaptiveAvgPool1d: adaptive('adaptive_avg_pool1d'),
  AdaptiveAvgPool2d: adaptive('adaptive_avg_pool2d'),
  AdaptiveMaxPool2d: adaptive('adaptive_max_pool2d'),
  Flatten: passing('flatten', keywords('start_dim', 'end_dim')),
  Upsample: passing('interpolate', keywords('size', 'scale_factor', 'mode', 'align_corners')),
  Identity: identity,
  Dropout: identity,
  Dropout1d: identity,
  Dropout2d: identity,
}

/** The call that a module stands for in evaluation mode, or null: its type is not known here. */
export function moduleCall(m: Module): ModuleCall | null {
  const spelling = Object.hasOwn(SPELLINGS, m.type) ? SPELLINGS[m.type]! : null
  if (!spelling) return null
  const { name, ...rest } = spelling(m)
  const wholeFlatten = name === 'flatten' && rest.kwargs.length === 0
  const kwargs = wholeFlatten ? ([['start_dim', { kind: 'literal', text: '1' }]] as const) : rest.kwargs
  return { target: `${name === 'flatten' ? 'torch.' : F}${name}`, ...rest, kwargs }
}

/** The parameters that a module has, by keyword. `bias=False`, `elementwise_affine=False` and the like leave some out. */
export function parametersOf(
  path: string,
  m: Module,
  call: ModuleCall,
  weights: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const flag = (name: string) => m.kwargs.get(name)
  const off = (name: string) => isFalse(flag(name))
  const absent = (key: string) =>
    (key === 'bias' && off('bias')) ||
    ((key === 'weight' || key === 'bias') && (off('affine') || off('elementwise_affine')))
  const found = new Map<string, Tensor>()
  for (const [keyword, name] of Object.entries(call.parameters)) {
    const t = weights.get(`${path}.${name}`)
    if (t) found.set(keyword, t)
    else if (!absent(keyword) && !(m.type === 'InstanceNorm2d')) throw missingWeight(`${path}.${name}`)
  }
  return found
}

const isFalse = (a: FxArg | undefined) => a?.kind === 'literal' && a.text === 'False'

export function missingWeight(name: string): UserError {
  return new UserError({
    code: 'missing-weight',
    where: `parameter ${name}`,
    expected: 'a tensor of this name among the weights',
    got: 'none',
    fix: 'save them with safetensors.torch.save_file(model.state_dict(), "weights.safetensors") and pass --weights weights.safetensors',
  })
}
