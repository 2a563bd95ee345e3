// Matrix products: by constant weights and between activations, single and stacked, tall, thin and transposed, with bias and
// activation, and whole attention heads.
import { float, int, ints, text } from '../../ir/attribute.ts'
import type { ValueId } from '../../ir/graph.ts'
import { ELEMENT_LIMIT, FLOP_LIMIT, type Kit, type Recipe } from './kit.ts'

interface ProductSize {
  readonly batch: number
  readonly m: number
  readonly k: number
  readonly n: number
}

const fits = ({ batch, m, k, n }: ProductSize): boolean =>
  2 * batch * m * k * n <= FLOP_LIMIT && Math.max(batch * m * k, k * n, batch * m * n) <= ELEMENT_LIMIT

/** Sizes of a linear layer. */
function linearSize(kit: Kit): ProductSize {
  const draw = () => {
    const [batch, m, width] = kit.sequence()
    const factor = kit.random.pick([1, 1, 1, 2, 3, 4, 0.25, 0.5])
    return kit.chance(0.75)
      ? { batch, m, k: width, n: Math.max(1, Math.round(width * factor)) }
      : { batch, m: kit.size(1, 2000), k: kit.size(1, 2000), n: kit.size(1, 2000) }
  }
  return kit.until(draw, fits)
}

function byWeight(kit: Kit, size: ProductSize, bias: boolean): ValueId {
  const { batch, m, k, n } = size
  const x = kit.fed(kit.chance(0.5) ? [batch, m, k] : [batch * m, k])
  const product = kit.op('MatMul', [x, kit.weight([k, n], k)])
  return bias ? kit.op('Add', [product, kit.weight([n])]) : product
}

function gemm(kit: Kit): ValueId {
  const { batch, m, k, n } = linearSize(kit)
  const transB = kit.chance(0.6)
  const weight = transB ? kit.weight([n, k], k) : kit.weight([k, n], k)
  const inputs = [kit.fed([batch * m, k]), weight, ...(kit.chance(0.85) ? [kit.weight([n])] : [])]
  const y = kit.op('Gemm', inputs, { transB: int(transB ? 1 : 0) })
  return kit.chance(0.4) ? kit.op(kit.random.pick(['Relu', 'Sigmoid', 'Tanh', 'LeakyRelu']), [y]) : y
}

/** Two activations, stacked: scores and mixtures of attention. */
function stacked(kit: Kit): ValueId {
  const draw = () => {
    const [batch, positions] = kit.sequence()
    const [heads, width] = [kit.random.pick([1, 2, 4, 6, 8, 12]), kit.random.pick([16, 32, 48, 64, 96])]
    const isScore = kit.chance(0.5)
    return { batch: batch * heads, m: positions, k: isScore ? width : positions, n: isScore ? positions : width }
  }
  const { batch, m, k, n } = kit.until(draw, fits)
  const lead = batch % 4 === 0 && kit.chance(0.7) ? [batch / 4, 4] : [batch]
  if (!kit.chance(0.4)) return kit.op('MatMul', [kit.fed([...lead, m, k]), kit.fed([...lead, k, n])])
  const rank = lead.length + 2
  const perm = [...lead.keys(), rank - 1, rank - 2]
  const other = kit.op('Transpose', [kit.fed([...lead, n, k])], { perm: ints(perm) })
  const product = kit.op('MatMul', [kit.fed([...lead, m, k]), other])
  return kit.chance(0.5) ? kit.op('Mul', [product, kit.scalar(0.125)]) : product
}

/** Two activations, plain. */
function dynamic(kit: Kit): ValueId {
  const draw = () => ({ batch: 1, m: kit.size(1, 1500), k: kit.size(1, 1500), n: kit.size(1, 1500) })
  const { m, k, n } = kit.until(draw, fits)
  return kit.op('MatMul', [kit.fed([m, k]), kit.fed([k, n])])
}

/** A constant on the left: adjacency matrices, token mixers, Fourier bases. */
function fromLeft(kit: Kit): ValueId {
  const draw = () => ({ batch: kit.images(), m: kit.size(4, 1200), k: kit.size(4, 1200), n: kit.size(1, 512) })
  const { batch, m, k, n } = kit.until(draw, fits)
  return kit.op('MatMul', [kit.weight([m, k], k), kit.fed([batch, k, n])])
}

function thin(kit: Kit): ValueId {
  const draw = () => ({
    batch: 1,
    m: kit.chance(0.3) ? 1 : kit.size(1, 3000),
    k: kit.size(8, 3000),
    n: kit.size(1, 31),
  })
  return byWeight(kit, kit.until(draw, fits), kit.chance(0.3))
}

function oneRow(kit: Kit): ValueId {
  const draw = () => ({ batch: 1, m: 1, k: kit.size(16, 2500), n: kit.size(16, 2500) })
  return byWeight(kit, kit.until(draw, fits), kit.chance(0.3))
}

function withActivation(kit: Kit): ValueId {
  const y = byWeight(kit, linearSize(kit), true)
  const gelu = (x: ValueId) => kit.op('Gelu', [x], { approximate: text(kit.chance(0.8) ? 'none' : 'tanh') })
  return kit.chance(0.6) ? gelu(y) : kit.op(kit.random.pick(['Relu', 'Tanh', 'Sigmoid']), [y])
}

function attention(kit: Kit): ValueId {
  const draw = () => ({
    heads: kit.random.pick([1, 2, 4, 8]),
    positions: kit.size(8, 256),
    width: kit.random.pick([16, 32, 64]),
  })
  const { heads, positions, width } = kit.until(draw, (s) => 4 * s.heads * s.positions ** 2 * s.width <= FLOP_LIMIT)
  const [q, k, v] = [0, 1, 2].map(() => kit.fed([1, heads, positions, width]))
  const scores = kit.op('MatMul', [q!, kit.op('Transpose', [k!], { perm: ints([0, 1, 3, 2]) })])
  const scaled = kit.op('Div', [scores, kit.scalar(Math.sqrt(width))])
  const masked = kit.chance(0.4) ? kit.op('Add', [scaled, kit.weight([1, 1, positions, positions])]) : scaled
  const mixed = kit.op('MatMul', [kit.op('Softmax', [masked], { axis: int(-1) }), v!])
  const merged = kit.op('Transpose', [mixed], { perm: ints([0, 2, 1, 3]) })
  return kit.op('Reshape', [merged, kit.int64s([1, positions, heads * width])])
}

function einsum(kit: Kit): ValueId {
  const [b, h, i, j, d] = [
    kit.images(),
    kit.random.pick([2, 4, 8]),
    kit.size(8, 128),
    kit.size(8, 128),
    kit.random.pick([16, 32, 64]),
  ]
  const equation = kit.random.pick(['bhid,bhjd->bhij', 'bhij,bhjd->bhid', 'bid,bjd->bij'])
  const sizes: Readonly<Record<string, number>> = { b, h, i, j, d }
  const operands = equation
    .split('->')[0]!
    .split(',')
    .map((labels) => kit.fed([...labels].map((l) => sizes[l]!)))
  return kit.op('Einsum', operands, { equation: text(equation) })
}

function scaled(kit: Kit): ValueId {
  const { batch, m, k, n } = linearSize(kit)
  return kit.op('Gemm', [kit.fed([batch * m, k]), kit.weight([k, n], k)], { alpha: float(0.5), transA: int(0) })
}

export const PRODUCT_RECIPES: readonly Recipe[] = [
  { name: 'linear', weight: 6, build: (kit) => byWeight(kit, linearSize(kit), false) },
  { name: 'linear-bias', weight: 6, build: (kit) => byWeight(kit, linearSize(kit), true) },
  { name: 'linear-activation', weight: 3, build: withActivation },
  { name: 'gemm', weight: 4, build: gemm },
  { name: 'gemm-scaled', weight: 0.5, build: scaled },
  { name: 'matmul-stacked', weight: 5, build: stacked },
  { name: 'matmul-dynamic', weight: 2, build: dynamic },
  { name: 'matmul-constant-left', weight: 2, build: fromLeft },
  { name: 'matmul-thin', weight: 3, build: thin },
  { name: 'matmul-one-row', weight: 2.5, build: oneRow },
  { name: 'attention', weight: 1.5, build: attention },
  { name: 'einsum', weight: 1, build: einsum },
]
