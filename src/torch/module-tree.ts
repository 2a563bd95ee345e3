// The modules of a traced model, from what `print(graph_module)` shows above the code:
//   (conv): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
// A graph's call_module nodes name modules only; this tells what they are.
import { type FxArg, list } from './fx-graph.ts'
import { parseArguments } from './fx-parse.ts'

export interface Module {
  /** `Conv2d`. */
  readonly type: string
  readonly args: readonly FxArg[]
  readonly kwargs: ReadonlyMap<string, FxArg>
}

const LINE = /^(\s*)\(([^()\s]+)\): (\w+)\((.*)$/

/** Modules by dotted path. Lines that are not of the form above are skipped. */
export function parseModules(text: string): ReadonlyMap<string, Module> {
  const modules = new Map<string, Module>()
  const path: { indent: number; name: string }[] = []
  for (const line of text.split(/\r?\n/)) {
    const match = LINE.exec(line)
    if (!match) continue
    const [indent, name, type, rest] = [match[1]!.length, match[2]!, match[3]!, match[4]!]
    while (path.length > 0 && path.at(-1)!.indent >= indent) path.pop()
    path.push({ indent, name })
    if (rest === '') continue
    const { args, kwargs } = parseArguments(rest.replace(/\)$/, ''))
    modules.set(path.map((p) => p.name).join('.'), { type, args, kwargs })
  }
  return modules
}

/** An argument by keyword or position, or an empty list where it is left out. */
export function moduleArgument(m: Module, name: string, position: number): FxArg {
  return m.kwargs.get(name) ?? m.args[position] ?? list([])
}
