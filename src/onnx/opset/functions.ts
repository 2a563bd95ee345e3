// Functions that a model defines for itself import opsets of their own. They follow a raised model where nothing in their
// bodies changes its meaning on the way; their bodies are never rewritten.
import {
  type FunctionProto,
  FunctionProtoSchema,
  type NodeProto,
  OperatorSetIdProtoSchema,
} from '../generated/onnx_pb.ts'
import { normalDomain } from '../import.ts'
import { copy } from '../proto.ts'
import { subgraphsOf } from '../scope.ts'
import { revisionsOf } from './table.ts'

export type RaisedFunction =
  | { readonly ok: true; readonly proto: FunctionProto }
  | { readonly ok: false; readonly reason: string }

/** The function with its import of ONNX's domain set to `target`, or the operator that forbids it. */
export function raiseFunction(f: FunctionProto, target: number): RaisedFunction {
  const own = f.opsetImport.find((o) => normalDomain(o.domain) === '')
  if (!own || Number(own.version) >= target) return { ok: true, proto: f }
  for (const node of nodesOf(f.node)) {
    const changed = changesBetween(node, Number(own.version), target)
    if (changed)
      return {
        ok: false,
        reason: `function ${f.name} of the model uses ${node.opType}, which changed between opset ${own.version} and ${target}`,
      }
  }
  const raised = Object.assign(copy(OperatorSetIdProtoSchema, own), { version: BigInt(target) })
  const proto = copy(FunctionProtoSchema, f)
  proto.opsetImport = f.opsetImport.map((o) => (o === own ? raised : o))
  return { ok: true, proto }
}

function changesBetween(node: NodeProto, from: number, target: number): boolean {
  if (normalDomain(node.domain) !== '') return false
  const revisions = revisionsOf(node.opType)
  return revisions === null || revisions.some((r) => r.needsAdapter && r.opset > from && r.opset <= target)
}

function* nodesOf(nodes: readonly NodeProto[]): Generator<NodeProto> {
  for (const node of nodes) {
    yield node
    for (const a of node.attribute) for (const g of subgraphsOf(a)) yield* nodesOf(g.node)
  }
}
