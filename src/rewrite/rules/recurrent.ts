// Recurrent layers of which one step is read. Of the last step the direction that runs backwards has seen nothing but that step; the other
// is in its last state: two layers of one direction, one of them over a single step, in place of one of both directions.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { type Attributes, getInt, getText, text } from '../../ir/attribute.ts'
import { type Dim, dimEquals, subDims } from '../../ir/dim.ts'
import { range } from '../index-vector.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import type { OnnxOp } from '../tensor-op.ts'

const LAYERS = ['LSTM', 'GRU', 'RNN']
/** Inputs: X, W, R, B, sequence_lens, initial_h, initial_c, P. All but X and the lengths are of all directions, along their first axis. */
const LENGTHS = 4
/** The output that holds the last states: Y_h, [directions, batch, hidden]. */
const LAST_STATES = 1

/** Y[last] = [h of the forward direction, one step of the other on x[last]]; Y[first] the other way round. */
function* oneStep(t: TensorEGraph, n: NodeId): Results {
  const select = t.op(n)
  if (select.kind !== 'select' || select.axis !== 0 || select.index.kind !== 'range' || select.index.count !== 1) return
  const y = t.child(n, 0)
  const { start } = select.index
  const end = endOf(start, t.shape(y)[0] ?? 1)
  for (const layer of LAYERS.flatMap((name) => t.nodes(y, name))) {
    const op = t.op(layer)
    if (op.kind !== 'onnx' || op.output !== 0) continue
    const backward = directionsOf(op)
    const runsOnce = backward.map((isBackward) => isBackward === (end === 'last'))
    if (end === null) yield refuse('the step is neither the first nor the last')
    else if (!isPlain(op)) yield refuse('sequences end early, or it is written in an unusual way')
    else if (runsOnce.includes(true)) {
      const states = backward.map((isBackward, d) =>
        lastState(t, layer, op, { d, isBackward, step: runsOnce[d] ? start : null }),
      )
      yield t.reshape(t.concat(states, 0), t.shape(t.egraph.classOf(n)))!
    }
  }
}

/** Of each direction, whether it runs backward. */
function directionsOf({ attributes }: OnnxOp): readonly boolean[] {
  const direction = getText(attributes, 'direction', 'forward')
  return direction === 'bidirectional' ? [false, true] : [direction === 'reverse']
}

/** Time comes first, every sequence is whole, and of the attributes only the names of activations are of one direction. */
function isPlain({ attributes, present }: OnnxOp): boolean {
  const isOfOne = ['activation_alpha', 'activation_beta'].some((name) => attributes[name] !== undefined)
  const isBatchFirst = getInt(attributes, 'layout', 0) !== 0
  return !isOfOne && !isBatchFirst && !present[LENGTHS]
}

function endOf(start: Dim, length: Dim): 'first' | 'last' | null {
  if (dimEquals(start, subDims(length, 1))) return 'last'
  return start === 0 ? 'first' : null
}

interface Direction {
  /** Its number. */
  readonly d: number
  readonly isBackward: boolean
  /** The one step that it runs over; null: all. */
  readonly step: Dim | null
}

/** The state in which one direction ends, [1, batch, hidden]. */
function lastState(t: TensorEGraph, layer: NodeId, op: OnnxOp, { d, isBackward, step }: Direction): ClassId {
  const [x, ...others] = t.children(layer) as [ClassId, ...ClassId[]]
  const steps = step === null ? x : t.select(x, 0, range(step, 1))
  const own = others.map((c) => t.select(c, 0, range(d, 1)))
  const attributes = { ...op.attributes, ...activationsOf(op, d), direction: text(isBackward ? 'reverse' : 'forward') }
  return t.make({ ...op, attributes, output: LAST_STATES, outputCount: 2 }, [steps, ...own])
}

/** The names of activations of one direction, where they are given. */
function activationsOf(op: OnnxOp, d: number): Attributes {
  const names = op.attributes.activations
  if (names?.kind !== 'strings') return {}
  const count = names.value.length / directionsOf(op).length
  return { activations: { ...names, value: names.value.slice(d * count, (d + 1) * count) } }
}

const rule = ruleMaker({ source: 'definition of the operators in the ONNX specification' })

export const recurrentRules: readonly Rule[] = [
  rule(
    'one-step',
    'Y[last] = [last state of the forward direction, one step back of x[last]]; Y[first] the other way round',
    ['select'],
    oneStep,
    'Y of LSTM, GRU or RNN, also of one that runs backward alone; every sequence is whole',
    { exactness: 'exact' },
  ),
]
