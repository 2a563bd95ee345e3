// FX graph -> ir Graph. The text has neither shapes nor weights: shapes of inputs are given by name, weights as a table of
// named tensors; with them every size is a number and Python-level arithmetic on sizes is done here and now. A module of
// unknown type stays one opaque node of the domain `torch.nn`, and so does its printed form.
import { type Complaint, UnsupportedError, UserError } from '../base/errors.ts'
import { text } from '../ir/attribute.ts'
import { GraphBuilder } from '../ir/builder.ts'
import type { DType } from '../ir/dtype.ts'
import type { Graph, ValueId } from '../ir/graph.ts'
import type { Tensor } from '../ir/tensor.ts'
import { countUsers, type FxArg, type FxGraph, type FxNode, type Kwargs, namesIn } from './fx-graph.ts'
import { Aliases } from './import/aliases.ts'
import { Context } from './import/context.ts'
import {
  bind,
  dtypeOfTorch,
  floatItem,
  type Item,
  integerItem,
  listItem,
  NONE_ITEM,
  tensorItem,
} from './import/item.ts'
import { missingWeight, moduleCall, parametersOf } from './import/modules.ts'
import { computePlain } from './import/python.ts'
import { findHandler } from './import/table.ts'
import type { Module } from './module-tree.ts'

export interface InputType {
  readonly shape: readonly number[]
  /** Default float32. */
  readonly dtype?: DType
}

export interface ImportOptions {
  readonly name?: string
  /** By input name. Inputs that the weights name need none. */
  readonly inputs: ReadonlyMap<string, InputType>
  /** Parameters and buffers by dotted name (`layers.0.weight`), as `state_dict` has them. */
  readonly weights?: ReadonlyMap<string, Tensor>
  /** What the called modules are (`parseModules`). */
  readonly modules?: ReadonlyMap<string, Module>
}

/** Domain of what only PyTorch knows. */
export const TORCH_DOMAIN = 'torch.nn'

/** Throws UserError where a shape or weight is missing, UnsupportedError on a function that is not known. */
export function importFx(graph: FxGraph, options: ImportOptions): Graph {
  const importer = new Importer(graph, options)
  for (const n of graph.nodes) importer.add(n)
  return importer.finish(graph.result)
}

class Importer {
  private readonly context: Context
  private readonly options: ImportOptions
  private readonly users: ReadonlyMap<string, number>
  private readonly aliases: Aliases
  private readonly items = new Map<string, Item>()
  private readonly parameters = new Map<string, ValueId>()
  private readonly named = new Set<ValueId>()

  constructor(graph: FxGraph, options: ImportOptions) {
    this.options = options
    this.users = countUsers(graph)
    this.aliases = new Aliases(graph)
    const opsets = new Map([['', 20]])
    if (graph.nodes.some((n) => n.opcode === 'call_module')) opsets.set(TORCH_DOMAIN, 1)
    this.context = new Context(new GraphBuilder(options.name ?? 'fx', opsets))
  }

  add(n: FxNode): void {
    if (n.target.endsWith('_assert_tensor_metadata.default')) return // torch.export's run-time checks: no value
    const item = this.evaluate(n)
    this.items.set(n.name, item)
    if (item.kind === 'tensor') this.nameAfter(item.value, n.name)
  }

  finish(result: FxArg): Graph {
    const outputs = tensorsIn(this.resolve(result))
    if (outputs.length === 0) throw new UserError(NO_OUTPUT)
    const names = [...namesIn(result)]
    const used = new Set<string>(this.options.inputs.keys())
    outputs.forEach((value, i) => {
      const wanted = names[i] ?? ''
      const name = wanted === '' || used.has(wanted) || outputs.length !== names.length ? `out_${i}` : wanted
      used.add(name)
      this.context.builder.output(value, name)
    })
    return this.context.builder.build()
  }

  /** A value takes the name of the FX node that made it, so that reports and printed code show it again. */
  private nameAfter(value: ValueId, name: string): void {
    if (this.named.has(value)) return
    this.named.add(value)
    this.context.builder.rename(value, name)
  }

  private evaluate(n: FxNode): Item {
    switch (n.opcode) {
      case 'placeholder':
        return this.placeholder(n)
      case 'get_attr':
        return tensorItem(this.parameter(n.target))
      case 'call_module':
        return this.callModule(n)
      case 'call_function':
      case 'call_method':
        return this.call(n)
      default:
        return n.opcode satisfies never
    }
  }

  private placeholder(n: FxNode): Item {
    const type = this.options.inputs.get(n.target) ?? this.options.inputs.get(n.name)
    if (type) return this.input(n.name, type)
    const weight = this.weightOfPlaceholder(n.target)
    if (weight !== null) return tensorItem(this.parameter(weight))
    if (n.args.length > 0) return this.resolve(n.args[0]!)
    if (this.users.get(n.name) === 0) return NONE_ITEM
    throw new UserError(missingShape(n.target))
  }

  private input(name: string, type: InputType): Item {
    const value = this.context.builder.input(name, type.dtype ?? 'float32', type.shape)
    this.named.add(value)
    return tensorItem(value)
  }

  /** torch.export passes parameters as inputs: `p_layers_0_weight` is the parameter `layers.0.weight`, `b_` a buffer. */
  private weightOfPlaceholder(target: string): string | null {
    const wanted = /^[pbc]_(.+)$/.exec(target)?.[1]
    if (wanted === undefined) return null
    return [...(this.options.weights?.keys() ?? [])].find((key) => key.replaceAll('.', '_') === wanted) ?? null
  }

  private parameter(name: string): ValueId {
    const known = this.parameters.get(name)
    if (known !== undefined) return known
    const weight = this.options.weights?.get(name)
    if (!weight) throw missingWeight(name)
    const value = this.context.constant(weight, name.replaceAll('.', '_'))
    this.named.add(value)
    this.parameters.set(name, value)
    return value
  }

  private call(n: FxNode): Item {
    const args = n.args.map((a) => this.resolve(a))
    const plain = computePlain(n, args)
    if (plain) return plain
    const { handler, inPlace } = findHandler(n)
    const result = handler.run(
      this.context,
      bind(`%${n.name} (${n.target})`, handler.signature, args, this.resolveAll(n.kwargs)),
    )
    const first = n.args[0]
    if (inPlace && first?.kind === 'node') {
      this.aliases.checkWrite(n, first.name)
      this.items.set(first.name, result)
    }
    return result
  }

  private callModule(n: FxNode): Item {
    const module = this.options.modules?.get(n.target)
    const call = module ? moduleCall(module) : null
    if (!module || !call) return this.opaqueModule(n)
    const args = [...n.args, ...call.args].map((a) => this.resolve(a))
    const parameters = parametersOf(n.target, module, call, this.options.weights ?? new Map())
    const tensors = [...parameters.keys()].map(
      (key) => [key, tensorItem(this.parameter(`${n.target}.${call.parameters[key]!}`))] as const,
    )
    const kwargs = [...this.resolveAll([...n.kwargs, ...call.kwargs]), ...tensors]
    const { handler } = findHandler({ ...n, opcode: 'call_function', target: call.target })
    return handler.run(this.context, bind(`%${n.name} (${module.type})`, handler.signature, args, kwargs))
  }

  /** A module whose type or behaviour is not known: kept whole, of unknown shape. */
  private opaqueModule(n: FxNode): Item {
    const inputs = n.args.map((a) => this.resolve(a)).map((item) => (item.kind === 'tensor' ? item.value : null))
    if (inputs.includes(null) || n.kwargs.length > 0)
      throw new UnsupportedError(`module ${n.target} with arguments that are not tensors`)
    const [value] = this.context.builder.multi('call_module', inputs, {
      domain: TORCH_DOMAIN,
      attributes: { target: text(n.target) },
    })
    return tensorItem(value!)
  }

  private resolveAll(kwargs: Kwargs): (readonly [string, Item])[] {
    return kwargs.map(([key, value]) => [key, this.resolve(value)] as const)
  }

  private resolve(arg: FxArg): Item {
    switch (arg.kind) {
      case 'node':
        return this.items.get(arg.name) ?? NONE_ITEM
      case 'literal':
        return literalItem(arg.text)
      case 'string':
        return { kind: 'text', value: arg.value }
      case 'sequence':
        return listItem(arg.items.map((i) => this.resolve(i)))
      case 'dict':
        return { kind: 'dict', entries: arg.entries.map(([k, v]) => [k, this.resolve(v)] as const) }
      case 'slice':
        return {
          kind: 'slice',
          start: this.resolve(arg.start),
          stop: this.resolve(arg.stop),
          step: this.resolve(arg.step),
        }
      default:
        return arg satisfies never
    }
  }
}

function literalItem(text: string): Item {
  if (text === 'None') return NONE_ITEM
  if (text === 'Ellipsis') return { kind: 'ellipsis' }
  if (text === 'True' || text === 'False') return { kind: 'boolean', value: text === 'True' }
  const dtype = dtypeOfTorch(text)
  if (dtype) return { kind: 'dtype', dtype }
  if (/^-?inf$/.test(text)) return floatItem(text === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)
  if (text === 'nan') return floatItem(Number.NaN)
  const value = Number(text.replaceAll('_', ''))
  if (Number.isNaN(value)) return { kind: 'text', value: text }
  return /[.eE]/.test(text) ? floatItem(value) : integerItem(value)
}

/** Tensors of a result, through tuples, lists and dicts, in order. What is no tensor has no place in an ir graph. */
function tensorsIn(item: Item): ValueId[] {
  if (item.kind === 'tensor') return [item.value]
  if (item.kind === 'list') return item.items.flatMap(tensorsIn)
  return item.kind === 'dict' ? item.entries.flatMap(([, v]) => tensorsIn(v)) : []
}

const NO_OUTPUT: Complaint = {
  code: 'no-output',
  where: 'the result of the FX graph',
  expected: 'at least one tensor',
  got: 'none',
  fix: 'trace a function that returns tensors',
}

function missingShape(name: string): Complaint {
  return {
    code: 'missing-shape',
    where: `input ${name}`,
    expected: 'its shape, which the text of an FX graph does not hold',
    got: 'none',
    fix: `add --shape ${name}=1x3x224x224 with the right numbers`,
  }
}
