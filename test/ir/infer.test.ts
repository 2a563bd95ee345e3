import { expect } from 'chai'
import fc from 'fast-check'
import { InvariantError } from '../../src/base/errors.ts'
import { int } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { evaluateDim, namedDim } from '../../src/ir/dim.ts'
import { evaluateGraph } from '../../src/ir/evaluate.ts'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import { inferFacts, inferTypes } from '../../src/ir/infer.ts'
import { shapeText } from '../../src/ir/shape.ts'
import { tensor } from '../../src/ir/tensor.ts'

const [N, H, W] = ['n', 'h', 'w'].map(namedDim) as [
  ReturnType<typeof namedDim>,
  ReturnType<typeof namedDim>,
  ReturnType<typeof namedDim>,
]

/** Inferred shape of what `body` makes of x: float32[n,6,h,w]. */
function shapeOf(body: (b: GraphBuilder, x: ValueId) => ValueId): string | null {
  const b = new GraphBuilder('g')
  const type = b.typeOf(body(b, b.input('x', 'float32', [N, 6, H, W])))
  return type && shapeText(type.shape)
}
const scalar = (b: GraphBuilder, n: number): ValueId => b.constant(tensor('int64', [], [n]))
const dimOf = (b: GraphBuilder, x: ValueId, axis: number): ValueId =>
  b.node('Unsqueeze', [b.node('Gather', [b.node('Shape', [x]), scalar(b, axis)]), b.int64s([0])])
const concat = (b: GraphBuilder, ...parts: readonly ValueId[]): ValueId => b.node('Concat', parts, { axis: int(0) })

describe('ir: shapes of dynamic graphs', () => {
  it('a reshape copies, keeps and fills in symbolic sizes', () => {
    const to = (...target: readonly number[]) => shapeOf((b, x) => b.node('Reshape', [x, b.int64s(target)]))
    expect(to(0, -1)).to.equal('[n,6*h*w]')
    expect(to(0, 2, 3, -1)).to.equal('[n,2,3,h*w]')
    expect(to(-1, 6)).to.equal('[h*n*w,6]')
    expect(to(0, 3, -1, 0)).to.equal('[n,3,2*h,w]')
    expect(to(-1)).to.equal('[6*h*n*w]')
  })

  it('a reshape to sizes read from a shape is exact', () => {
    const heads = shapeOf((b, x) => {
      const [n, h, w] = [dimOf(b, x, 0), dimOf(b, x, 2), dimOf(b, x, 3)]
      return b.node('Reshape', [x, concat(b, n, b.int64s([2, 3]), b.node('Mul', [h, w]))])
    })
    expect(heads).to.equal('[n,2,3,h*w]')
    const rest = shapeOf((b, x) => b.node('Reshape', [x, concat(b, dimOf(b, x, 0), b.int64s([-1]), dimOf(b, x, 3))]))
    expect(rest).to.equal('[n,6*h,w]')
  })

  it('a reduction keeps its axes where keepdims is 1, and for no other number, as the runtime has it', () => {
    const kept = (keepdims: number) =>
      shapeOf((b, x) => b.node('ReduceMean', [x, b.int64s([1])], { keepdims: int(keepdims) }))
    expect([1, 0, 2, -1].map(kept)).to.deep.equal(['[n,1,h,w]', '[n,h,w]', '[n,h,w]', '[n,h,w]'])
  })

  it('a product of dimensions read from a shape is followed', () => {
    const flat = shapeOf((b, x) => {
      const tail = b.node('Slice', [b.node('Shape', [x]), b.int64s([1]), b.int64s([2 ** 31 - 1])])
      const count = b.node('ReduceProd', [tail], { keepdims: int(1) })
      return b.node('Reshape', [x, concat(b, b.int64s([-1]), count)])
    })
    expect(flat).to.equal('[n,6*h*w]')
  })

  it('an expand to a shape with ones put in where it says -1 is followed', () => {
    const expanded = shapeOf((b, x) => {
      const target = concat(b, dimOf(b, x, 0), b.int64s([-1, 5]))
      const isOpen = b.node('Equal', [target, b.int64s([-1])])
      const ones = b.node('ConstantOfShape', [b.int64s([3])], {
        value: { kind: 'tensor', value: tensor('int64', [1], [1]) },
      })
      const y = b.constant(tensor('float32', [4, 1], [1, 2, 3, 4]))
      return b.node('Expand', [y, b.node('Where', [isOpen, ones, target])])
    })
    expect(expanded).to.equal('[n,4,5]')
  })

  it('a padding that is turned round in a matrix, as PyTorch writes it, is followed', () => {
    const padded = shapeOf((b, x) => {
      const odd = b.node('Mod', [dimOf(b, x, 1), b.int64s([4])])
      const pairs = b.node('Reshape', [concat(b, b.int64s([0, 1, 0, 2, 0]), odd, b.int64s([0, 0])), b.int64s([-1, 2])])
      const end = b.int64s([-(2 ** 31)])
      const turned = b.node('Slice', [pairs, b.int64s([-1]), end, b.int64s([0]), b.int64s([-1])])
      const pads = b.node('Reshape', [b.node('Transpose', [turned]), b.int64s([-1])])
      return b.node('Pad', [x, pads])
    })
    expect(padded).to.equal('[n,8,(h+2),(w+1)]')
  })

  it('a size that goes through floating point and back is followed', () => {
    const resized = shapeOf((b, x) => {
      const size = b.node('Cast', [dimOf(b, x, 2)], { to: int(1) })
      const twice = b.node('Floor', [b.node('Mul', [size, b.constant(tensor('float32', [1], [2]))])])
      return b.node('ConstantOfShape', [b.node('Cast', [twice], { to: int(7) })])
    })
    expect(resized).to.equal('[2*h]')
  })

  it('a slice of an axis of unknown size is clamped to it', () => {
    const cut = (start: number, end: number, step = 1) =>
      shapeOf((b, x) => b.node('Slice', [x, b.int64s([start]), b.int64s([end]), b.int64s([2]), b.int64s([step])]))
    expect(cut(0, 2 ** 31 - 1)).to.equal('[n,6,h,w]')
    expect(cut(0, -1)).to.equal('[n,6,max((h+-1),0),w]')
    expect(cut(0, 4)).to.equal('[n,6,min(4,h),w]')
    expect(cut(0, 2 ** 31 - 1, 2)).to.equal('[n,6,floor((h+1) / 2),w]')
    expect(cut(-1, -(2 ** 31), -1)).to.equal('[n,6,h,w]')
  })

  it('is not guessed where the rank depends on data', () => {
    expect(shapeOf((b, x) => b.node('NonZero', [x]))).to.equal(null)
    expect(shapeOf((b, x) => b.node('Squeeze', [x]))).to.equal(null)
    expect(shapeOf((b, x) => b.node('Reshape', [x, b.node('NonZero', [x])]))).to.equal(null)
  })

  it('unknown operators end it, declared types take it up again', () => {
    const b = new GraphBuilder(
      'g',
      new Map([
        ['', 20],
        ['my', 1],
      ]),
    )
    const y = b.node('Unknown', [b.input('x', 'float32', [2])], {}, 'my')
    const z = b.node('Relu', [y])
    b.output(z, 'z')
    const graph = b.build()
    expect(inferTypes(graph).values[z]!.type).to.equal(null)
    const declared: Graph = {
      ...graph,
      values: graph.values.map((v, i) => (i === y ? { ...v, type: { dtype: 'float32', shape: [N] } } : v)),
    }
    expect(inferTypes(declared).values[z]!.type!.shape).to.deep.equal([N])
  })

  it('the default of an input says nothing of its contents', () => {
    const b = new GraphBuilder('g')
    const type = { dtype: 'int64', shape: [1] } as const
    const target = b.inputOf('target', { name: 'target', type }, tensor('int64', [1], [6]))
    b.output(b.node('Reshape', [b.input('x', 'float32', [2, 3]), target]), 'y')
    const graph = b.build()
    expect(inferFacts(graph)[target]).to.deep.equal({ type, constant: null, contents: null })
    // The rank is that of the target's length, and all elements are one axis.
    expect(inferTypes(graph).values[graph.outputs[0]!]!.type!.shape).to.deep.equal([6])
  })

  it('a value that is read before it is made is our own mistake', () => {
    const b = new GraphBuilder('g')
    b.output(b.node('Relu', [b.node('Abs', [b.input('x', 'float32', [2])])]), 'y')
    const graph = b.build()
    expect(() => inferFacts({ ...graph, nodes: [...graph.nodes].reverse() })).to.throw(InvariantError)
  })
})

/** A step of shape arithmetic on vectors of int64; `pick` chooses among the vectors made so far. */
interface Step {
  readonly op: string
  readonly picks: readonly [number, number]
  readonly constant: number
}
const step: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom(
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Max',
    'Min',
    'Gather',
    'Slice',
    'Concat',
    'ReduceProd',
    'ReduceSum',
    'Neg',
    'Cast',
    'Where',
    'Range',
    'Scale',
  ),
  picks: fc.tuple(fc.nat(20), fc.nat(20)),
  constant: fc.integer({ min: -3, max: 4 }),
})

/** Adds one step; null where its operands do not fit. */
function addStep(b: GraphBuilder, made: readonly ValueId[], s: Step): ValueId | null {
  const [x, y] = s.picks.map((p) => made[p % made.length]!) as [ValueId, ValueId]
  const length = (v: ValueId): number => b.typeOf(v)!.shape[0] as number
  const fits = length(x) === length(y) || length(x) === 1 || length(y) === 1
  switch (s.op) {
    case 'Div':
      return b.node('Div', [x, b.int64s([s.constant || 2])])
    case 'Scale':
      return b.node('Mul', [x, b.int64s([s.constant])])
    case 'Gather':
      return b.node('Gather', [x, b.int64s([0, s.picks[1] % length(x), -1])])
    case 'Slice':
      return length(x) < 2 ? null : b.node('Slice', [x, b.int64s([s.constant % 2]), b.int64s([2 ** 31 - 1])])
    case 'Concat':
      return length(x) + length(y) > 8 ? null : b.node('Concat', [x, y], { axis: int(0) })
    case 'ReduceProd':
    case 'ReduceSum':
      return b.node(s.op, [x, b.int64s([0])])
    case 'Neg':
      return b.node('Neg', [x])
    case 'Cast':
      return b.node('Cast', [b.node('Cast', [x], { to: int(1) })], { to: int(7) })
    case 'Where': {
      if (!fits) return null
      return b.node('Where', [b.node(s.constant > 0 ? 'Equal' : 'Less', [x, b.int64s([s.constant])]), x, y])
    }
    case 'Range': {
      const at = (v: ValueId) => b.node('Squeeze', [b.node('Gather', [v, b.int64s([0])])])
      return s.constant === 0 ? null : b.node('Range', [at(x), scalar(b, 5), scalar(b, s.constant)])
    }
    default:
      return fits ? b.node(s.op, [x, y]) : null
  }
}

describe('ir: contents of shape arithmetic', () => {
  it('are what evaluation gives, at all sizes', () => {
    let followed = 0
    const sizes = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), sizes, (steps, [n, h]) => {
        const b = new GraphBuilder('g')
        const made = [b.node('Shape', [b.input('x', 'float32', [N, 3, H])])]
        for (const s of steps) {
          const v = addStep(b, made, s)
          if (v !== null && typeof b.typeOf(v)?.shape[0] === 'number' && (b.typeOf(v)!.shape[0] as number) > 0)
            made.push(v)
        }
        made.forEach((v, i) => {
          b.output(v, `y${i}`)
        })
        const graph = b.build()
        const facts = inferFacts(graph)
        const values = evaluateGraph(graph, {
          x: { dtype: 'float32', shape: [n, 3, h], data: new Float64Array(n * 3 * h) },
        })
        graph.outputs.forEach((v, i) => {
          const { contents, type } = facts[v]!
          expect(shapeText(type!.shape)).to.equal(shapeText(values[`y${i}`]!.shape))
          if (!contents) return
          followed++
          const bound = contents.map((d) =>
            evaluateDim(
              d,
              new Map([
                ['n', n],
                ['h', h],
              ]),
            ),
          )
          expect(bound).to.deep.equal(Array.from(values[`y${i}`]!.data, (x) => x + 0))
        })
      }),
      { seed: 11, numRuns: 1500 },
    )
    expect(followed).to.be.at.least(3000)
  })
})
