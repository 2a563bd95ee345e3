// Graphs whose bodies of If, Loop and Scan hold other programs than they came with, however dear, so that what rules make inside of
// bodies is executed and not only what pays.
import { UserError } from '../../src/base/errors.ts'
import type { Bindings } from '../../src/ir/dim.ts'
import type { Graph, Node } from '../../src/ir/graph.ts'
import { type Body, bodiesOf, withBodies } from '../../src/onnx/index.ts'
import { readBody } from '../../src/search/bodies.ts'
import { asBody } from '../../src/search/body-graph.ts'
import { drawPrograms } from './programs.ts'

export interface BodyProgram {
  readonly graph: Graph
  readonly rules: ReadonlyMap<string, number>
}

/** How many programs are drawn of each body. */
const PROGRAMS = 4

/** The graph with the first program of each body, with the second, and so on; nothing where no body can be rewritten. */
export function withOtherBodies(graph: Graph, bindings: Bindings, seed: number): readonly BodyProgram[] {
  return Array.from({ length: PROGRAMS }, (_, nth) => {
    const rules = new Map<string, number>()
    const changed = changeAll(graph, bindings, { seed, nth, rules, marks: 0 })
    return changed === graph ? [] : [{ graph: changed, rules }]
  }).flat()
}

interface Draw {
  readonly seed: number
  readonly nth: number
  readonly rules: Map<string, number>
  marks: number
}

function changeAll(graph: Graph, bindings: Bindings, draw: Draw): Graph {
  const nodes = graph.nodes.map((node) => changeNode(node, graph, bindings, draw))
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes }
}

function changeNode(node: Node, outer: Graph, bindings: Bindings, draw: Draw): Node {
  if (!['If', 'Loop', 'Scan'].includes(node.op) || node.domain !== '') return node
  const changed = new Map<Body, Graph>()
  for (const body of bodiesOf(node, outer)) {
    const program = programOf(node, body, outer, bindings, draw)
    if (program) changed.set(body, program)
  }
  return changed.size === 0 ? node : withBodies(node, changed)
}

/** Null: it cannot be rewritten, or has no such program. */
function programOf(node: Node, body: Body, outer: Graph, bindings: Bindings, draw: Draw): Graph | null {
  const mark = `drawn${draw.marks++}`
  try {
    const searched = readBody(node, body, outer, bindings, mark)
    if (typeof searched === 'string') return null
    const graph = changeAll(searched.graph, searched.bindings, draw)
    const program = drawPrograms(graph, searched.bindings, draw.seed)[draw.nth]
    if (!program) return null
    for (const [name, n] of program.rules) draw.rules.set(name, (draw.rules.get(name) ?? 0) + n)
    return asBody(program.graph, body.graph, searched.graph, `${mark}/`)
  } catch (error) {
    if (error instanceof UserError) return null
    throw error
  }
}
