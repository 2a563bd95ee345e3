// Which names of an FX graph may share memory, so that an operator that writes in place (`relu_`, `+=`) is only taken for its
// functional twin where nobody could see the difference.
import { UnsupportedError } from '../../base/errors.ts'
import { type FxGraph, type FxNode, inputsOf, namesIn } from '../fx-graph.ts'

/** Calls whose result may be a view of their first argument. */
const VIEWS = new Set(
  'view view_as reshape flatten getitem getattr transpose swapaxes permute t squeeze unsqueeze expand expand_as narrow select slice split split_with_sizes chunk unbind detach alias contiguous to float type_as dropout T'.split(
    ' ',
  ),
)

export class Aliases {
  private readonly roots = new Map<string, string>()
  private readonly position = new Map<string, number>()
  private readonly lastRead = new Map<string, number>()

  constructor(graph: FxGraph) {
    graph.nodes.forEach((n, i) => {
      this.position.set(n.name, i)
      const base = n.args[0]
      const view = n.opcode.startsWith('call_') && n.target.split('.').some((part) => VIEWS.has(part))
      this.roots.set(n.name, view && base?.kind === 'node' ? this.roots.get(base.name)! : n.name)
      for (const name of inputsOf(n)) this.lastRead.set(name, i)
    })
    for (const name of namesIn(graph.result)) this.lastRead.set(name, graph.nodes.length)
  }

  /** Throws UnsupportedError where another name of the memory that `n` writes to is read later. */
  checkWrite(n: FxNode, written: string): void {
    const root = this.roots.get(written)
    for (const [name, its] of this.roots) {
      const other = name !== written && name !== n.name && its === root
      if (other && (this.lastRead.get(name) ?? -1) > this.position.get(n.name)!) {
        throw new UnsupportedError(`%${n.name} writes in place into %${written}, which shares memory with %${name}`)
      }
    }
  }
}
