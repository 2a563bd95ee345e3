// The least IR version that may carry each version of ONNX's operator set (onnx/helper.py VERSION_TABLE, ONNX 1.23).

const FIRST_OPSET: readonly (readonly [irVersion: number, opset: number])[] = [
  [3, 1],
  [4, 9],
  [5, 10],
  [6, 11],
  [7, 12],
  [8, 15],
  [9, 19],
  [10, 21],
  [11, 23],
  [12, 24],
  [13, 25],
  [14, 28],
]

/** The least IR version for these opsets. */
export function irVersionFor(opsets: ReadonlyMap<string, number>): number {
  const opset = opsets.get('') ?? 1
  return FIRST_OPSET.findLast(([, first]) => opset >= first)?.[0] ?? 3
}
