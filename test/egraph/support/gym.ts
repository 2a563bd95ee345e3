// Reads the e-graphs of extraction-gym (egraph-serialize JSON) as extraction problems.
import { readFileSync } from 'node:fs'
import { compact, type Problem } from '../../../src/egraph/extract/problem.ts'

interface GymNode {
  readonly op: string
  readonly children?: readonly string[]
  readonly eclass: string
  readonly cost?: number
}

export interface GymFile {
  readonly nodes: Readonly<Record<string, GymNode>>
  readonly root_eclasses: readonly string[]
}

/** The problem in one file; throws where the roots cannot be extracted. */
export function readGymProblem(path: string): Problem {
  return problemOf(JSON.parse(readFileSync(path, 'utf8')) as GymFile)
}

/** The problem in an e-graph as egraph-serialize writes it. */
export function problemOf(file: GymFile): Problem {
  const classes = new Map<string, number>()
  const classRank = (name: string): number => {
    if (!classes.has(name)) classes.set(name, classes.size)
    return classes.get(name)!
  }
  const nodes = Object.values(file.nodes)
  const classOfNode = nodes.map((n) => classRank(n.eclass))
  const children = nodes.map((n) => (n.children ?? []).map((child) => classRank(file.nodes[child]!.eclass)))
  const roots = file.root_eclasses.map(classRank)
  return compact({ classCount: classes.size, classOfNode, cost: nodes.map((n) => n.cost ?? 1), children, roots })
}
