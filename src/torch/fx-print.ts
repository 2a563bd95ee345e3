// Prints an FX graph as `print(graph_module.graph)` does.
import { countUsers, type FxArg, type FxGraph, type FxNode } from './fx-graph.ts'
import { stringText } from './python-text.ts'

/** The graph's text, without a newline at the end. */
export function printFx(graph: FxGraph): string {
  const users = countUsers(graph)
  const lines = graph.nodes.map((n) => `    ${nodeText(n, `${graph.usersLabel}=${users.get(n.name)!}`)}`)
  const returns = graph.returnType ? ` -> ${graph.returnType}` : ''
  return [`graph()${returns}:`, ...lines, `    return ${reprArg(graph.result)}`].join('\n')
}

function nodeText(n: FxNode, users: string): string {
  const head = `%${n.name} : ${n.type ? `${n.type} ` : ''}[${users}] = ${n.opcode}[target=${n.target}]`
  if (n.opcode === 'get_attr') return head
  if (n.opcode === 'placeholder') return n.args.length > 0 ? `${head}(default=${formatArg(n.args[0]!)})` : head
  const args = formatArg({ kind: 'sequence', form: 'tuple', items: n.args })
  return `${head}(args = ${args}, kwargs = ${formatArg({ kind: 'dict', entries: n.kwargs })})`
}

/** As torch's `_format_arg`: nodes with a percent sign, strings bare; what is inside a slice is printed by `repr`. */
function formatArg(arg: FxArg): string {
  switch (arg.kind) {
    case 'node':
      return `%${arg.name}`
    case 'string':
      return arg.value
    case 'sequence':
      return bracketed(arg.form, arg.items.map(formatArg))
    case 'dict':
      return `{${arg.entries.map(([k, v]) => `${k}: ${formatArg(v)}`).join(', ')}}`
    case 'literal':
    case 'slice':
      return reprArg(arg)
    default:
      return arg satisfies never
  }
}

/** As Python's `repr`, in which a node is its name. */
export function reprArg(arg: FxArg): string {
  switch (arg.kind) {
    case 'node':
      return arg.name
    case 'literal':
      return arg.text
    case 'string':
      return stringText(arg.value)
    case 'sequence':
      return bracketed(arg.form, arg.items.map(reprArg))
    case 'dict':
      return `{${arg.entries.map(([k, v]) => `${stringText(k)}: ${reprArg(v)}`).join(', ')}}`
    case 'slice':
      return `slice(${[arg.start, arg.stop, arg.step].map(reprArg).join(', ')})`
    default:
      return arg satisfies never
  }
}

function bracketed(form: 'tuple' | 'list', items: readonly string[]): string {
  const inner = items.join(', ')
  if (form === 'list') return `[${inner}]`
  return items.length === 1 ? `(${inner},)` : `(${inner})`
}
