// Python's spelling of names and literals: what may be an identifier, how torch.fx makes names unique, how `repr` writes
// numbers and strings. Sources: Python 3 language reference (keywords, string literals), torch/fx/graph.py (_Namespace).

const KEYWORDS =
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  )
/** Builtins that generated code must not shadow, and the globals that it reads. */
const BUILTINS =
  'abs all any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max memoryview min next object oct open ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip torch device inf nan NoneType Ellipsis self operator math'.split(
    ' ',
  )
const ILLEGAL = new Set([...KEYWORDS, ...BUILTINS])

export function isKeyword(name: string): boolean {
  return KEYWORDS.includes(name)
}

/** ASCII identifiers only: what torch.fx itself writes. */
export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !isKeyword(name)
}

/** `layerNorm` -> `layer_norm`. */
export function snakeCase(name: string): string {
  return name.replaceAll(/(?<=[a-z])([A-Z])/g, '_$1').toLowerCase()
}

/** Makes names unique the way torch.fx does: `add`, `add_1`, `add_2`; `sum` becomes `sum_1`. */
export class Namespace {
  private readonly used = new Set<string>()
  private readonly counts = new Map<string, number>()

  /** A name that nobody has, like `candidate`. */
  create(candidate: string): string {
    let name = candidate.replaceAll(/[^0-9a-zA-Z_]+/g, '_') || '_unnamed'
    if (/^[0-9]/.test(name)) name = `_${name}`
    const suffixed = /^(.*)_(\d+)$/.exec(name)
    const base = suffixed ? suffixed[1]! : name
    let count = this.counts.get(base) ?? 0
    if (suffixed && !this.used.has(name)) count = Number(suffixed[2])
    else if (ILLEGAL.has(name)) name = `${base}_${++count}`
    while (this.used.has(name)) name = `${base}_${++count}`
    this.used.add(name)
    this.counts.set(base, count)
    return name
  }
}

/** Python's `repr` of a float: always with a point or an exponent; `inf`, `-inf`, `nan` as torch.fx's globals. */
export function floatText(x: number): string {
  if (Number.isNaN(x)) return 'nan'
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf'
  if (x === 0) return Object.is(x, -0) ? '-0.0' : '0.0'
  const [mantissa, power] = x.toExponential().split('e') as [string, string]
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, '0')
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`
  }
  const plain = String(x) // JavaScript writes plain digits from 1e-6 on, Python from 1e-4
  return plain.includes('.') ? plain : `${plain}.0`
}

/** The shortest decimal that rounds to the same float32. */
export function float32Text(x: number): string {
  if (!Number.isFinite(x) || Math.fround(x) !== x) return floatText(x)
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(x.toPrecision(digits))
    if (Math.fround(short) === x) return floatText(short)
  }
  return floatText(x)
}

/** Python's `repr` of a string: single quotes unless the text has single quotes and no double ones. */
export function stringText(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'"
  return quote + [...value].map((c) => escapeCharacter(c, quote)).join('') + quote
}

function escapeCharacter(c: string, quote: string): string {
  if (c === '\\' || c === quote) return `\\${c}`
  const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[c]
  if (named) return named
  const code = c.codePointAt(0)!
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : c
}
