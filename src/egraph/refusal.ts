// Why a rule did not fire where its shape matched.

/** Counted per reason in the report of `saturate`. */
export interface Refusal {
  readonly refused: string
}
