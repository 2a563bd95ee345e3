import { expect } from 'chai'
import fc from 'fast-check'
import { float32Text, floatText, isIdentifier, Namespace, stringText } from '../../src/torch/python-text.ts'

describe("Python's spelling", () => {
  it('of floats is that of repr: a point or an exponent, always', () => {
    const table = {
      2: '2.0',
      0.1: '0.1',
      1e-5: '1e-05',
      0.0001: '0.0001',
      1e16: '1e+16',
      123456789012345680: '1.2345678901234568e+17',
      1e15: '1000000000000000.0',
      1e300: '1e+300',
      1.5e-7: '1.5e-07',
    }
    for (const [x, text] of Object.entries(table)) expect(floatText(Number(x))).to.equal(text)
    expect([0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(floatText)).to.deep.equal([
      '0.0',
      '-0.0',
      'nan',
      'inf',
      '-inf',
    ])
  })

  it('of a float32 is short and gives the same float32 back', () => {
    expect([0.1, 0.7, 1 / 3, 16777216].map(Math.fround).map(float32Text)).to.deep.equal([
      '0.1',
      '0.7',
      '0.33333334',
      '16777216.0',
    ])
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Object.is(Math.fround(Number(float32Text(x))), x)).to.equal(true)
      }),
      { seed: 2 },
    )
  })

  it('of strings quotes and escapes as repr does', () => {
    expect(["a'b", 'a"b', `a'"b`, 'tab\tnew\nline', '\u0007', 'back\\slash'].map(stringText)).to.deep.equal([
      `"a'b"`,
      `'a"b'`,
      `'a\\'"b'`,
      "'tab\\tnew\\nline'",
      "'\\x07'",
      "'back\\\\slash'",
    ])
  })

  it('of names steers clear of keywords, builtins, illegal characters and each other', () => {
    const names = new Namespace()
    const made = ['add', 'add', 'sum', 'sum', 'lambda', 'x/y:0', '3d', '', 'add_1', 'layer_7', 'layer', 'layer_7'].map(
      (n) => names.create(n),
    )
    expect(made).to.deep.equal([
      'add',
      'add_1',
      'sum_1',
      'sum_2',
      'lambda_1',
      'x_y_0',
      '_3d',
      '_unnamed',
      'add_2',
      'layer_7',
      'layer',
      'layer_8',
    ])
  })

  it('of names is always an identifier, and new', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 30 }), (wanted) => {
        const names = new Namespace()
        const made = wanted.map((w) => names.create(w))
        expect(made.every(isIdentifier)).to.equal(true)
        expect(new Set(made).size).to.equal(made.length)
      }),
      { seed: 4 },
    )
  })
})
