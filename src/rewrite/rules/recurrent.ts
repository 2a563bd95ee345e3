// Recurrent layers of which one step is read. Of the last step the direction that runs backwards has seen nothing but that step; the other
// is in its last state: two layers of one direction, one of them over a single step, in place of one of both directions.
import type { ClassId, NodeId } from '../../egraph/egraph.ts'
import { getInt, getText, text } from '../../ir/attribute.ts'
import { type Dim, dimEquals, subDims } from '../../ir/dim.ts'
import { range } from '../index-vector.ts'
import { type Results, type Rule, refuse, ruleMaker } from '../rule.ts'
import type { TensorEGraph } from '../tensor-egraph.ts'
import type { OnnxOp } from '../tensor-op.ts'

const LAYERS = ['LSTM', 'GRU', 'RNN']
/** Inputs: X, W, R, B, sequence_lens, initial_h, initial_c, P. All but X and the lengths are of both directions, along their first axis. */
const X = 0
const LENGTHS = 4
/** The output that holds the last states: Y_h, [directions, batch, hidden]. */
const LAST_STATES = 1

/** Y[last] = [h of the forward direction, one step of the other on x[last]]; Y[first] the other way round. */
function* oneStep(t: TensorEGraph, n: NodeId): Results {
  const select = t.op(n)
  if (select.kind !== 'select' || select.axis !== 0 || select.index.kind !== 'range' || select.index.count !== 1) return
  const y = t.child(n, 0)
  const { start } = select.index
  for (const l of LAYERS.flatMap((name) => t.nodes(y, name))) {
    const op = t.op(l)
    if (op.kind !== 'onnx' || op.output !== 0 || !isPlain(op)) continue
    const end = endOf(start, t.shape(y)[0]!)
    if (end === null) {
      yield refuse('the step is neither the first nor the last')
      continue
    }
    const directions = getText(op.attributes, 'direction', 'forward') === 'bidirectional' ? 2 : 1
    const isReverse = (d: number) =>
      directions === 2 ? d === 1 : getText(op.attributes, 'direction', 'forward') === 'reverse'
    const needsAll = (d: number) => (end === 'last') !== isReverse(d)
    if (directions === 1 && needsAll(0)) continue
    const states = Array.from({ length: directions }, (_, d) =>
      lastState(t, l, op, { d, isReverse: isReverse(d), step: needsAll(d) ? null : start }),
    )
    yield t.reshape(t.concat(states, 0), t.shape(t.egraph.classOf(n)))!
  }
}

/** Time comes first, every sequence is whole, and nothing in the attributes is of one direction but the names of activations. */
function isPlain({ attributes, present }: OnnxOp): boolean {
  const isOfOne = ['activation_alpha', 'activation_beta'].some((name) => attributes[name] !== undefined)
  const isBatchFirst = getInt(attributes, 'layout', 0) !== 0
  return !isOfOne && !isBatchFirst && present[LENGTHS] !== true
}

function endOf(start: Dim, length: Dim): 'first' | 'last' | null {
  if (dimEquals(start, subDims(length, 1))) return 'last'
  return start === 0 ? 'first' : null
}

interface Direction {
  readonly d: number
  readonly isReverse: boolean
  /** The one step that it runs over; null: all. */
  readonly step: Dim | null
}

/** The state in which one direction ends, [1, batch, hidden]. */
function lastState(t: TensorEGraph, layer: NodeId, op: OnnxOp, { d, isReverse, step }: Direction): ClassId {
  const inputs = op.present.flatMap((isPresent, i) => (isPresent ? [i] : []))
  const children = t.children(layer).map((c, i) => {
    if (inputs[i] === X) return step === null ? c : t.select(c, 0, range(step, 1))
    return t.select(c, 0, range(d, 1))
  })
  const attributes = { ...op.attributes, ...ownActivations(op, d), direction: text(isReverse ? 'reverse' : 'forward') }
  return t.make({ ...op, attributes, output: LAST_STATES, outputCount: 2 }, children)
}

function ownActivations({ attributes }: OnnxOp, d: number) {
  const names = attributes.activations
  if (names?.kind !== 'strings' || getText(attributes, 'direction', 'forward') !== 'bidirectional') return {}
  const half = names.value.length / 2
  return { activations: { ...names, value: names.value.slice(d * half, (d + 1) * half) } }
}

const rule = ruleMaker({ source: 'definition of the operators in the ONNX specification' })

export const recurrentRules: readonly Rule[] = [
  rule(
    'one-step',
    'Y[last] = [last state of the forward direction, one step back of x[last]]; Y[first] the other way round',
    ['select'],
    oneStep,
    'Y of LSTM, GRU or RNN; every sequence is whole',
    { exactness: 'exact' },
  ),
]
