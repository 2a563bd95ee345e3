// Graph networks as they are exported: rows gathered at the sources of edges, added up at their targets, with sizes that are open.
import { expect } from 'chai'
import type { ClassId } from '../../src/egraph/egraph.ts'
import { int, text } from '../../src/ir/attribute.ts'
import { GraphBuilder } from '../../src/ir/builder.ts'
import { namedDim } from '../../src/ir/dim.ts'
import type { Graph, ValueId } from '../../src/ir/graph.ts'
import { tensor } from '../../src/ir/tensor.ts'
import { encode } from '../../src/rewrite/encode.ts'
import { type Explored, explore } from '../../src/rewrite/explore.ts'
import type { OnnxOp } from '../../src/rewrite/tensor-op.ts'
import { checkCase } from './fuzz/check-case.ts'
import { type BuildSample, buildSample, Sample } from './sample.ts'

const LIMITS = { iterationLimit: 8, nodeLimit: 4000, timeLimitMs: 20_000 }
const [NODES, EDGES] = [namedDim('nodes'), namedDim('edges')]

type Spelling = 'ScatterElements' | 'ScatterND'

class Network extends Sample {
  /** Rows of x at the sources, or anything at the edges, added up at the targets. */
  sum(x: ValueId, targets: ValueId, messages: ValueId, width: number, spelling: Spelling): ValueId {
    const nodes = this.op('Gather', [this.op('Shape', [x]), this.b.int64s([0])], { axis: int(0) })
    const sizes = this.op('Concat', [nodes, this.b.int64s([width])], { axis: int(0) })
    const zeros = this.op('ConstantOfShape', [sizes])
    return spelling === 'ScatterND'
      ? this.scatterRows(zeros, targets, messages)
      : this.scatter(zeros, targets, messages)
  }
}

/** mean of the neighbours times W: [width, out], or of what W makes of them */
function layer(spelling: Spelling, width: number, out: number, isFirst: boolean): Graph {
  const s = new Network(3, new GraphBuilder('network', new Map([['', 20]])))
  const x = s.b.input('x', 'float32', [NODES, width])
  const [from, to] = ['from', 'to'].map((name) => s.b.input(name, 'int64', [EDGES])) as [ValueId, ValueId]
  const w = s.w([width, out])
  const messages = s.op('Mul', [
    s.op('Gather', [x, from]),
    s.op('Unsqueeze', [s.b.input('weights', 'float32', [EDGES]), s.b.int64s([1])]),
  ])
  const mapped = isFirst ? s.op('MatMul', [messages, w]) : messages
  const sum = s.sum(x, to, mapped, isFirst ? out : width, spelling)
  const degree = s.b.input('degree', 'float32', [NODES, 1])
  const mean = s.op('Div', [sum, degree])
  s.b.output(isFirst ? mean : s.op('MatMul', [mean, w]), 'y')
  return s.b.build()
}

/** The widths at which rows are added up in the e-graph. */
function widths({ t }: Explored): number[] {
  const all = [...t.egraph.classes()].filter((c) => t.nodes(c, 'scatter').length > 0)
  return all.map((c) => t.shape(c)[1] as number).sort((a, b) => a - b)
}

const isMappedInput = (e: Explored, c: ClassId): boolean =>
  e.t.nodes(c, 'lin').some((l) => e.t.nodes(e.t.child(l, 0), 'input').length > 0)

describe('rewrite: message passing', () => {
  for (const spelling of ['ScatterElements', 'ScatterND'] as const) {
    it(`a map after ${spelling} is found before it, and before the rows are gathered`, () => {
      const e = explore(layer(spelling, 8, 3, false), LIMITS)
      expect(widths(e)).to.deep.equal([3, 8])
      expect([...e.t.egraph.classes()].some((c) => isMappedInput(e, c))).to.equal(true)
    })

    it(`a map before ${spelling} is found after it`, () => {
      const e = explore(layer(spelling, 3, 8, true), LIMITS)
      expect(widths(e)).to.deep.equal([3, 8])
    })

    it(`${spelling} stays what it is: the runtime adds up in parallel in one of them, and two threads lose a term`, () => {
      const { t } = explore(layer(spelling, 8, 3, false), LIMITS)
      const other = spelling === 'ScatterND' ? 'ScatterElements' : 'ScatterND'
      expect([...t.egraph.classes()].flatMap((c) => t.nodes(c, other))).to.deep.equal([])
    })
  }

  it('positions that differ from column to column keep a map where it is', () => {
    const b = new GraphBuilder('columns', new Map([['', 20]]))
    const s = new Sample(1, b)
    const at = b.input('at', 'int64', [EDGES, 8])
    const sum = s.op('ScatterElements', [s.zeros([5, 8]), at, b.input('x', 'float32', [EDGES, 8])], {
      reduction: text('add'),
    })
    b.output(s.op('MatMul', [sum, s.w([8, 3])]), 'y')
    expect(widths(explore(b.build(), LIMITS))).to.deep.equal([8])
  })

  it('constant positions are looked at: alike in all columns, or not', () => {
    const positions = (column: (row: number, column: number) => number) => {
      const s = new Sample(1, new GraphBuilder('constant', new Map([['', 20]])))
      const at = s.b.constant(
        tensor(
          'int64',
          [6, 8],
          Array.from({ length: 48 }, (_, i) => column(Math.floor(i / 8), i % 8)),
        ),
      )
      const sum = s.op('ScatterElements', [s.zeros([5, 8]), at, s.x([6, 8])], { reduction: text('add') })
      s.b.output(s.op('MatMul', [sum, s.w([8, 3])]), 'y')
      return widths(explore(s.b.build(), LIMITS))
    }
    expect(positions((row) => (row * 3) % 5)).to.deep.equal([3, 8])
    expect(positions((row, column) => (row * 3 + column) % 5)).to.deep.equal([8])
  })

  it('a product, a maximum, integers, and updates that are narrower than the data are left as they are', () => {
    const families = (build: (s: Sample) => ValueId) => {
      const { t, roots } = encode(buildSample(build, 1))
      return t.egraph.nodesOf(roots[0]!).map((n) => (t.op(n) as OnnxOp).op ?? t.op(n).kind)
    }
    const reduced = (reduction: string) => (s: Sample) => {
      const at = s.op('Expand', [s.op('Unsqueeze', [s.ids([7]), s.b.int64s([1])]), s.b.int64s([7, 3])])
      return s.op('ScatterElements', [s.zeros([5, 3]), at, s.x([7, 3])], { reduction: text(reduction) })
    }
    expect(families(reduced('add'))).to.deep.equal(['scatter'])
    expect(families(reduced('none'))).to.deep.equal(['scatter'])
    for (const reduction of ['mul', 'max', 'min'])
      expect(families(reduced(reduction))).to.deep.equal(['ScatterElements'])
    expect(families((s) => s.scatter(s.zeros([5, 4]), s.ids([7]), s.x([7, 3])))).to.deep.equal(['ScatterElements'])
    const whole = (s: Sample) => s.op('Cast', [s.x([7, 3])], { to: int(7) })
    const zeros = (s: Sample) => s.b.constant(tensor('int64', [5, 3], new Array<number>(15).fill(0)))
    expect(families((s) => s.scatter(zeros(s), s.ids([7]), whole(s)))).to.deep.equal(['ScatterElements'])
  })

  const samples: Readonly<Record<string, BuildSample>> = {
    'two layers': (s) => {
      const [from, to] = [s.ids([12]), s.ids([12])]
      const mean = (x: ValueId, width: number) => {
        const sum = s.scatter(s.zeros([5, width]), to, s.op('Gather', [x, from]))
        return s.op('Mul', [sum, s.x([5, 1])])
      }
      const hidden = s.op('Relu', [s.op('Add', [s.op('MatMul', [mean(s.x([5, 6]), 6), s.w([6, 4])]), s.w([4])])])
      return s.op('MatMul', [mean(hidden, 4), s.w([4, 2])])
    },
    'no edges': (s) => s.op('MatMul', [s.scatter(s.zeros([5, 6]), s.ids([0]), s.x([0, 6])), s.w([6, 4])]),
    'no columns': (s) => s.scatter(s.zeros([5, 0]), s.ids([3]), s.x([3, 0])),
    'one column': (s) => s.op('Mul', [s.scatter(s.zeros([5, 1]), s.ids([9]), s.x([9, 1])), s.c(2)]),
    'a scatter along the middle axis, of rows that are batches': (s) => {
      const at = s.op('Expand', [s.op('Reshape', [s.ids([7]), s.b.int64s([1, 7, 1])]), s.b.int64s([2, 7, 3])])
      const sum = s.op('ScatterElements', [s.zeros([2, 5, 3]), at, s.x([2, 7, 3])], {
        axis: int(1),
        reduction: text('add'),
      })
      return s.op('MatMul', [sum, s.w([3, 2])])
    },
    'positions in two axes, flat in one': (s) => {
      const at = s.op('Unsqueeze', [s.ids([2, 4]), s.b.int64s([2])])
      const sum = s.op('ScatterND', [s.x([5, 3]), at, s.x([2, 4, 3])], { reduction: text('add') })
      return s.op('MatMul', [sum, s.w([3, 2])])
    },
  }
  for (const [name, build] of Object.entries(samples))
    it(`keeps every value: ${name}`, () => {
      for (const seed of [1, 2, 3])
        for (const numbers of ['normal', 'whole'] as const) {
          const { wrong, checked } = checkCase(buildSample(build, seed), { rule: null, numbers, seed, program: true })
          expect(wrong, `seed ${seed}`).to.deep.equal([])
          expect(checked, `seed ${seed}`).to.be.greaterThan(0)
        }
    })
})
