// A torch.fx graph as plain data: what `print(graph_module.graph)` shows, no more. No shapes, no weights, no Python objects:
// targets are qualified names, constants are the text that Python printed. Source: torch/fx/node.py (format_node) and
// torch/fx/graph.py (CodeGen), PyTorch 1.10 to 2.15.

export type FxOpcode = 'placeholder' | 'get_attr' | 'call_function' | 'call_method' | 'call_module'

export type FxArg =
  | { readonly kind: 'node'; readonly name: string }
  /** A Python literal that is written the same in text and in code: `2.0`, `None`, `True`, `torch.float32`, `Ellipsis`, `inf`. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'sequence'; readonly form: 'tuple' | 'list'; readonly items: readonly FxArg[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [string, FxArg])[] }
  | { readonly kind: 'slice'; readonly start: FxArg; readonly stop: FxArg; readonly step: FxArg }

export type Kwargs = readonly (readonly [string, FxArg])[]

export interface FxNode {
  readonly opcode: FxOpcode
  readonly name: string
  /** `operator.add`, `torch.nn.functional.gelu`, `reshape`, `layers.0.linear`. */
  readonly target: string
  readonly args: readonly FxArg[]
  readonly kwargs: Kwargs
  /** Annotation, as text: `torch.Tensor`. */
  readonly type?: string
}

export interface FxGraph {
  readonly nodes: readonly FxNode[]
  /** What `return` returns. */
  readonly result: FxArg
  /** `#users` was written before PyTorch 2.0. */
  readonly usersLabel: 'num_users' | '#users'
  readonly returnType?: string
}

export const node = (name: string): FxArg => ({ kind: 'node', name })
export const literal = (text: string): FxArg => ({ kind: 'literal', text })
export const str = (value: string): FxArg => ({ kind: 'string', value })
export const tuple = (items: readonly FxArg[]): FxArg => ({ kind: 'sequence', form: 'tuple', items })
export const list = (items: readonly FxArg[]): FxArg => ({ kind: 'sequence', form: 'list', items })
export const NONE: FxArg = literal('None')

/** Names of the nodes that an argument reads, in order, repeats included. */
export function* namesIn(arg: FxArg): Generator<string> {
  switch (arg.kind) {
    case 'node':
      yield arg.name
      return
    case 'sequence':
      for (const item of arg.items) yield* namesIn(item)
      return
    case 'dict':
      for (const [, value] of arg.entries) yield* namesIn(value)
      return
    case 'slice':
      for (const part of [arg.start, arg.stop, arg.step]) yield* namesIn(part)
      return
    case 'literal':
    case 'string':
      return
    default:
      arg satisfies never
  }
}

/** Distinct names that a node reads, first use first. */
export function inputsOf(n: Pick<FxNode, 'args' | 'kwargs'>): string[] {
  return [...new Set([...n.args, ...n.kwargs.map(([, v]) => v)].flatMap((a) => [...namesIn(a)]))]
}

/** Number of distinct readers of every node; the result counts as one reader. */
export function countUsers(graph: FxGraph): ReadonlyMap<string, number> {
  const users = new Map(graph.nodes.map((n) => [n.name, 0]))
  const readers = [...graph.nodes.map(inputsOf), [...new Set(namesIn(graph.result))]]
  for (const names of readers) for (const name of names) users.set(name, users.get(name)! + 1)
  return users
}
