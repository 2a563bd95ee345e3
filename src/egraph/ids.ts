// The integers that the engine hands out. All are dense, start at 0, and stay valid for the life of their table.
import type { Brand } from '../base/brand.ts'

/** An interned operator: a family together with its payload. */
export type OpId = Brand<number, 'OpId'>
/** The bare name of an operator: `lin`, `add`, `onnx:Conv`. */
export type FamilyId = Brand<number, 'FamilyId'>
/** An e-class. Any id ever returned stays usable: `find` gives the canonical one. */
export type ClassId = Brand<number, 'ClassId'>
/** An e-node. The class in which a node was created has the same number. */
export type NodeId = Brand<number, 'NodeId'>
/** A rewrite rule, as numbered by whoever drives the e-graph (`saturate`: its place in the list). */
export type RuleId = Brand<number, 'RuleId'>
