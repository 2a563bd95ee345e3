import { expect } from 'chai'
import { UnsupportedError, UserError } from '../../src/base/errors.ts'
import { text } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { ndarray, tensor } from '../../src/ir/tensor.ts'
import { exportFx, forwardCode, importFx, moduleSource, parseFx, printFx, TORCH_DOMAIN } from '../../src/torch/index.ts'

const NO_WEIGHTS = new Map<string, never>()

/** A graph of one input x: [2, 3] and these lines. */
function imported(...lines: string[]): Graph {
  const body = ['%x : [num_users=1] = placeholder[target=x]', ...lines]
  return importFx(parseFx(`graph():\n${body.map((l) => `    ${l}`).join('\n')}`), {
    inputs: new Map([['x', { shape: [2, 3] }]]),
    weights: NO_WEIGHTS,
  })
}

/** A tuple of one has a comma. */
const tuple = (args: string) => `(${args}${/^[^(,]+$/.test(args) ? ',' : ''})`
const call = (name: string, target: string, args: string, kwargs = '') =>
  `%${name} : [num_users=1] = call_function[target=${target}](args = ${tuple(args)}, kwargs = {${kwargs}})`
const method = (name: string, target: string, args: string, kwargs = '') =>
  `%${name} : [num_users=1] = call_method[target=${target}](args = ${tuple(args)}, kwargs = {${kwargs}})`

const X = ndarray('float32', [2, 3], [1, -2, 3, -4, 5, -6])

function resultOf(graph: Graph): { shape: readonly number[]; data: number[]; dtype: string } {
  const out = Object.values(evaluateGraph(graph, { x: X }))[0]!
  return { dtype: out.dtype, shape: out.shape, data: [...out.data] }
}

describe('importing an FX graph', () => {
  it('asks for the shape of an input by name', () => {
    const graph = parseFx(`graph():\n    %image : [num_users=1] = placeholder[target=image]\n    return image`)
    expect(() => importFx(graph, { inputs: new Map() })).to.throw(UserError, /input image: .*add --shape image=/)
  })

  it('asks for a weight by the name that state_dict has', () => {
    const lines = [
      '%w : [num_users=1] = get_attr[target=layers.0.weight]',
      call('y', 'operator.add', '%x, %w'),
      'return y',
    ]
    expect(() => imported(...lines)).to.throw(UserError, /parameter layers.0.weight: .*safetensors/)
  })

  it('names the function that it does not know', () => {
    expect(() => imported(call('y', 'torch.fft.fft', '%x'), 'return y')).to.throw(
      UnsupportedError,
      'function torch.fft.fft (%y)',
    )
    expect(() => imported(method('y', 'bernoulli', '%x'), 'return y')).to.throw(UnsupportedError, 'method bernoulli')
  })

  it('refuses arguments it would ignore', () => {
    expect(() => imported(call('y', 'torch.relu', '%x, 1, 2'), 'return y')).to.throw(
      UnsupportedError,
      'positional arguments',
    )
    expect(() => imported(call('y', 'torch.add', '%x, 1', 'gamma: 2'), 'return y')).to.throw(
      UnsupportedError,
      'argument gamma',
    )
  })

  it('refuses dropout in training mode and takes it in evaluation', () => {
    const line = (training: string) => call('y', 'torch.nn.functional.dropout', '%x', `p: 0.5, training: ${training}`)
    expect(() => imported(line('True'), 'return y')).to.throw(UnsupportedError, '.eval()')
    expect(resultOf(imported(line('False'), 'return y')).data).to.deep.equal([...X.data])
  })

  it("follows torch's promotion: numbers count by their kind, integers divide to floats", () => {
    expect(
      resultOf(imported(method('i', 'to', '%x, torch.int64'), call('y', 'operator.mul', '%i, 2'), 'return y')).dtype,
    ).to.equal('int64')
    expect(
      resultOf(imported(method('i', 'to', '%x, torch.int64'), call('y', 'operator.mul', '%i, 2.0'), 'return y')).dtype,
    ).to.equal('float32')
    expect(
      resultOf(imported(method('i', 'to', '%x, torch.int64'), call('y', 'operator.truediv', '%i, 2'), 'return y'))
        .data[0],
    ).to.equal(0.5)
    expect(
      resultOf(imported(call('c', 'operator.gt', '%x, 0'), call('y', 'torch.sum', '%c'), 'return y')),
    ).to.deep.equal({ dtype: 'int64', shape: [], data: [3] })
  })

  it('computes on sizes while importing', () => {
    const graph = imported(
      method('n', 'size', '%x, 0'),
      call('shape', 'builtins.getattr', '%x, shape'),
      call('m', 'operator.getitem', '%shape, 1'),
      call('all', 'operator.mul', '%n, %m'),
      call('half', 'operator.floordiv', '%all, 2'),
      method('y', 'view', '%x, %half, -1'),
      'return y',
    )
    expect(resultOf(graph).shape).to.deep.equal([3, 2])
    expect(graph.nodes.map((n) => n.op)).to.deep.equal(['Reshape'])
  })

  it('indexes with numbers, slices, None, Ellipsis and lists', () => {
    const index = (i: string) => resultOf(imported(call('y', 'operator.getitem', `%x, ${i}`), 'return y'))
    expect(index('1')).to.deep.include({ shape: [3], data: [-4, 5, -6] })
    expect(index('(slice(None, None, None), -1)')).to.deep.include({ shape: [2], data: [3, -6] })
    expect(index('(Ellipsis, None, slice(0, 3, 2))').shape).to.deep.equal([2, 1, 2])
    expect(index('(slice(None, None, None), [2, 0])').data).to.deep.equal([3, 1, -6, -4])
    expect(() => index('(0, 0, 0)')).to.throw(UnsupportedError, 'more indices than dimensions')
    expect(() => index('slice(None, None, -1)')).to.throw(UnsupportedError, 'a step of -1')
  })

  it('makes constants, whether sizes come one by one or as a list', () => {
    const made = (target: string, args: string, kwargs = '') => {
      const y = resultOf(imported(call('k', target, args, kwargs), 'return k'))
      return [y.dtype, y.shape.join('x'), ...y.data]
    }
    expect(made('torch.zeros', '1, 2')).to.deep.equal(['float32', '1x2', 0, 0])
    expect(made('torch.ones', '[2]', 'dtype: torch.int64')).to.deep.equal(['int64', '2', 1, 1])
    expect(made('torch.full', '(1, 1), 2.5')).to.deep.equal(['float32', '1x1', 2.5])
    expect(made('torch.arange', '1, 6, 2')).to.deep.equal(['int64', '3', 1, 3, 5])
    expect(made('torch.arange', '2.0')).to.deep.equal(['float32', '2', 0, 1])
    expect(made('torch.zeros_like', '%x').slice(0, 2)).to.deep.equal(['float32', '2x3'])
  })

  it('moves to a dtype, given alone, after a device, by name, or by example', () => {
    const dtypeOf = (args: string, kwargs = '') => resultOf(imported(method('y', 'to', args, kwargs), 'return y')).dtype
    expect(dtypeOf('%x, torch.int64')).to.equal('int64')
    expect(dtypeOf('%x, cpu, torch.float64')).to.equal('float64')
    expect(dtypeOf('%x', 'dtype: torch.bool')).to.equal('bool')
    expect(dtypeOf('%x, %x')).to.equal('float32')
    expect(dtypeOf('%x, cuda:0')).to.equal('float32')
  })

  it('takes an operator that writes in place for its twin where nobody can tell', () => {
    const graph = imported(
      call('a', 'operator.add', '%x, 1.0'),
      call('r', 'torch.relu_', '%a'),
      call('y', 'operator.mul', '%a, %r'),
      'return y',
    )
    expect(resultOf(graph).data).to.deep.equal([4, 0, 16, 0, 36, 0])
  })

  it('refuses it where a view of the same memory is read later', () => {
    const lines = [
      call('a', 'operator.add', '%x, 1.0'),
      method('v', 'view', '%a, 6'),
      call('r', 'torch.relu_', '%a'),
      call('y', 'torch.sum', '%v'),
      'return y',
    ]
    expect(() => imported(...lines)).to.throw(
      UnsupportedError,
      '%r writes in place into %a, which shares memory with %v',
    )
  })

  it('keeps a module of unknown type whole, and prints it again', () => {
    const lines = [
      '%net : [num_users=1] = call_module[target=net.0](args = (%x,), kwargs = {})',
      call('y', 'torch.relu', '%net'),
      'return y',
    ]
    const graph = imported(...lines)
    expect(graph.nodes[0]).to.deep.include({
      domain: TORCH_DOMAIN,
      op: 'call_module',
      attributes: { target: text('net.0') },
    })
    const program = exportFx(graph)
    expect(
      printFx(program.graph)
        .split('\n')
        .slice(2, -1)
        .map((l) => l.trim()),
    ).to.deep.equal(lines.slice(0, 2))
    expect(() => moduleSource(program)).to.throw(UnsupportedError, 'module net.0')
  })

  it('flattens nested results, and gives a result that is an input a name of its own', () => {
    const graph = imported(call('y', 'torch.relu', '%x'), "return {'a': y, 'b': [x, (y,)]}")
    expect(graph.outputs.map((v) => graph.values[v]!.name)).to.deep.equal(['y', 'out_1', 'out_2'])
    expect(() => imported('return 3')).to.throw(UserError, 'at least one tensor')
  })
})

describe('exporting an ir graph as FX', () => {
  const builder = () => new GraphBuilder('g', new Map([['', 20]]))

  it('names what PyTorch has no equal for', () => {
    const b = builder()
    b.output(
      b.node('NonMaxSuppression', [b.input('boxes', 'float32', [1, 4, 4]), b.input('scores', 'float32', [1, 1, 4])]),
      'y',
    )
    expect(() => exportFx(b.build())).to.throw(UnsupportedError, 'operator NonMaxSuppression in PyTorch')
  })

  it('does not take the spelling of a record for more than element by element', () => {
    const b = builder()
    b.output(b.node('NonZero', [b.input('x', 'float32', [2, 3])]), 'y')
    expect(() => exportFx(b.build())).to.throw(UnsupportedError, 'operator NonZero in PyTorch')
  })

  it('asks for shapes where the code would depend on them', () => {
    const b = builder()
    const x = b.input('x', 'float32', [
      { kind: 'symbolic', key: 'n', terms: [{ coefficient: 1, atoms: [{ kind: 'name', key: 'n' }] }] },
      4,
    ])
    b.output(b.node('Reshape', [x, b.int64s([-1])]), 'y')
    expect(() => exportFx(b.build())).to.throw(UnsupportedError, '--shape')
  })

  it('makes identifiers of names that Python does not allow', () => {
    const b = builder()
    const x = b.input('input.1', 'float32', [2])
    const y = b.input('lambda', 'float32', [2])
    b.output(
      b.node('Add', [x, b.node('Mul', [y, b.constant(tensor('float32', [2], [1, 2]), '/model/weight:0')])]),
      'for',
    )
    const code = forwardCode(exportFx(b.build()).graph)
    expect(code).to.equal(`def forward(self, input_1, lambda_1):
    _model_weight_0 = self._model_weight_0
    Mul_out = lambda_1 * _model_weight_0;  lambda_1 = _model_weight_0 = None
    add = input_1 + Mul_out;  input_1 = Mul_out = None
    return add`)
  })

  it('writes few weights out and leaves many to a file', () => {
    const b = builder()
    const few = b.constant(tensor('float32', [2, 1], [0.1, -2]), 'few')
    const many = b.constant(tensor('float32', [20], new Array(20).fill(1)), 'many')
    b.output(b.node('Add', [b.node('Mul', [b.input('x', 'float32', [2, 20]), few]), many]), 'y')
    const { source, weights } = moduleSource(exportFx(b.build()))
    expect(source).to.contain(
      "self.register_buffer('few', torch.tensor([0.1, -2.0], dtype=torch.float32).reshape(2, 1))",
    )
    expect([...weights.keys()]).to.deep.equal(['many'])
    expect(moduleSource(exportFx(b.build()), { inlineElements: 20 }).weights.size).to.equal(0)
  })
})
