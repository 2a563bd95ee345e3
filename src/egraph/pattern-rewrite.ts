// Pattern rewrites: `(+ ?a ?b)` => `(+ ?b ?a)`.
export interface PatternRewrite<_P = unknown> {
  readonly kind: 'pattern'
  readonly name: string
}
