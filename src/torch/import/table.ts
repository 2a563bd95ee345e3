// Which handler a target means. A target is looked up under its most specific name first: `aten.embedding` takes its
// arguments in another order than `torch.nn.functional.embedding`. Element-wise operators whose
// record has a torch spelling and no attributes need no handler.
import { UnsupportedError } from '../../base/errors.ts'
import { ops } from '../../ir/ops/index.ts'
import type { FxNode } from '../fx-graph.ts'
import { type Handler, type Handlers, handler } from './context.ts'
import { creation } from './creation.ts'
import { elementWise } from './element-wise.ts'
import { linearOps } from './linear.ts'
import { neural } from './neural.ts'
import { pooling } from './pooling.ts'
import { reductions } from './reductions.ts'
import { shapes } from './shapes.ts'

const handlers: Handlers = {
  ...elementWise,
  ...shapes,
  ...creation,
  ...reductions,
  ...linearOps,
  ...pooling,
  ...neural,
}

/** `torch.erf` -> a handler of one operand, for records that spell themselves. */
const spelled = new Map<string, Handler>(
  ops
    .filter((op) => op.torch && op.elementwise && Object.keys(op.attributes).length === 0)
    .map((op) => [
      op.torch!.target.replace(/^\./, 'method.'),
      handler('*operands', (c, a) => c.op(op.name, ...c.promote(a.items('operands'), a.where))),
    ]),
)

/** Names under which a call may be found, most specific first. */
export function lookupNames(n: Pick<FxNode, 'opcode' | 'target'>): string[] {
  if (n.opcode === 'call_method') return [`method.${n.target}`, n.target]
  const aten = /^torch\.ops\.aten\.(\w+)/.exec(n.target)
  if (aten) return [`aten.${aten[1]}`, aten[1]!]
  const [, module, name] = /^(?:(\w+)\.)?(?:.*\.)?(\w+)$/.exec(n.target) ?? []
  const direct = n.target === `torch.${name}` ? [`torch.${name}`] : []
  return module === 'operator' || module === 'torch' || module === 'builtins' ? [...direct, name!] : []
}

export interface Found {
  readonly handler: Handler
  /** The call writes into its first argument: `relu_`, `operator.iadd`. */
  readonly inPlace: boolean
}

/** The handler of a function or method. Throws UnsupportedError that names the target. */
export function findHandler(n: FxNode): Found {
  for (const name of lookupNames(n)) {
    const exact = own(name)
    if (exact) return { handler: exact, inPlace: false }
  }
  const direct = spelled.get(n.opcode === 'call_method' ? `method.${n.target}` : n.target)
  if (direct) return { handler: direct, inPlace: false }
  for (const name of lookupNames(n)) {
    const functional = n.target.startsWith('operator.i') ? name.slice(1) : name.replace(/(?<=\w)_$/, '')
    const found = functional === name ? null : own(functional)
    if (found) return { handler: found, inPlace: true }
  }
  throw new UnsupportedError(`${n.opcode === 'call_method' ? 'method' : 'function'} ${n.target} (%${n.name})`)
}

function own(name: string): Handler | null {
  return Object.hasOwn(handlers, name) ? handlers[name]! : null
}
