import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { UserError } from '../../src/base/errors.ts'
import type { FxArg, FxGraph, FxNode } from '../../src/torch/fx-graph.ts'
import { forwardCode, parseFx, parseModules, printFx } from '../../src/torch/index.ts'

const SEED = `graph():
    %x : [num_users=1] = placeholder[target=x]
    %y : [num_users=1] = placeholder[target=y]
    %add : [num_users=1] = call_function[target=operator.add](args = (%x, %y), kwargs = {})
    %mul : [num_users=1] = call_function[target=operator.mul](args = (%add, 2.0), kwargs = {})
    return mul`

/** The transcript of the demonstration that the project started from, if it is at hand. */
function transcript(): string | null {
  const folders = [process.env.ALLOTROPE_SHARED, resolve(import.meta.dirname, '../../../shared/data')]
  const paths = folders.filter((f) => f !== undefined).map((f) => join(f, '../seed/fx-demo-run.txt'))
  const found = paths.find(existsSync)
  return found === undefined ? null : readFileSync(found, 'utf8')
}

describe('the text of an FX graph', () => {
  it('of the seed gives the code of the seed', () => {
    expect(printFx(parseFx(SEED))).to.equal(SEED)
    expect(forwardCode(parseFx(SEED))).to.equal(`def forward(self, x, y):
    add = x + y;  x = y = None
    mul = add * 2.0;  add = None
    return mul`)
  })

  it('of every graph in the first demonstration is printed again, with the same code (skips without ../shared/seed)', function () {
    const text = transcript()
    if (text === null) return this.skip()
    const starts = [...text.matchAll(/^graph\(/gm)].map((m) => m.index)
    expect(starts).to.have.length(2)
    for (const start of starts) {
      const graph = parseFx(text.slice(start))
      expect(text).to.contain(printFx(graph))
      expect(text).to.contain(forwardCode(graph))
    }
  })

  it('frees a value that nobody reads where it is made, as the first demonstration shows', () => {
    const graph = parseFx(`graph():
    %x : [num_users=2] = placeholder[target=x]
    %y : [num_users=2] = placeholder[target=y]
    %add : [num_users=0] = call_function[target=operator.add](args = (%x, %y), kwargs = {})
    %mul_1 : [num_users=1] = call_function[target=operator.mul](args = (%x, 2.0), kwargs = {})
    %mul_2 : [num_users=1] = call_function[target=operator.mul](args = (%y, 2.0), kwargs = {})
    %add_1 : [num_users=1] = call_function[target=operator.add](args = (%mul_1, %mul_2), kwargs = {})
    return add_1`)
    expect(forwardCode(graph)).to.equal(`def forward(self, x, y):
    add = x + y;  add = None
    mul_1 = x * 2.0;  x = None
    mul_2 = y * 2.0;  y = None
    add_1 = mul_1 + mul_2;  mul_1 = mul_2 = None
    return add_1`)
  })

  it('is read in the forms of PyTorch before 2.0 and with annotations', () => {
    const old = SEED.replaceAll('num_users', '#users')
    expect(printFx(parseFx(old))).to.equal(old)
    const typed = SEED.replaceAll(' : [', ' : torch.Tensor [').replace('graph():', 'graph() -> torch.Tensor:')
    expect(printFx(parseFx(typed))).to.equal(typed)
    expect(forwardCode(parseFx(typed))).to.match(
      /^def forward\(self, x : torch.Tensor, y : torch.Tensor\) -> torch.Tensor:\n {4}add : torch.Tensor = x \+ y/,
    )
    const listed = SEED.replace('graph():', 'graph(x, y):')
      .split('\n')
      .filter((l) => !l.includes('placeholder'))
      .join('\n')
    expect(printFx(parseFx(listed))).to.equal(SEED)
  })

  it('keeps what surrounds a graph out of it', () => {
    expect(printFx(parseFx(`Original Graph:\n${SEED}\n\nOriginal Code:\ndef forward`))).to.equal(SEED)
    expect(printFx(parseFx(SEED.replaceAll('\n', '\r\n')))).to.equal(SEED)
  })

  it('tells strings from Python literals, and devices from strings, in code', () => {
    const line = (args: string, kwargs: string) =>
      `graph():\n    %x : [num_users=1] = placeholder[target=x]\n    %f : [num_users=1] = call_function[target=torch.f](args = (%x, ${args}), kwargs = {${kwargs}})\n    return f`
    const code = (args: string, kwargs: string) =>
      forwardCode(parseFx(line(args, kwargs)))
        .split('\n')[1]!
        .trim()
    expect(code('none, None, inf', 'dtype: torch.float32')).to.equal(
      "f = torch.f(x, 'none', None, inf, dtype = torch.float32);  x = None",
    )
    expect(code('(1, 2.5), [3], 1e-05', 'device: cuda:1')).to.equal(
      "f = torch.f(x, (1, 2.5), [3], 1e-05, device = device(type='cuda', index=1));  x = None",
    )
    expect(code('(slice(None, -1, None), Ellipsis),', '')).to.equal(
      'f = torch.f(x, (slice(None, -1, None), Ellipsis));  x = None',
    )
  })

  it('names functions of other modules, builtins and attributes with digits as torch.fx does', () => {
    const graph = parseFx(`graph():
    %x : [num_users=3] = placeholder[target=x]
    %size : [num_users=1] = call_method[target=size](args = (%x, 0), kwargs = {})
    %sqrt : [num_users=1] = call_function[target=math.sqrt](args = (%size,), kwargs = {})
    %len_1 : [num_users=1] = call_function[target=builtins.len](args = (%x,), kwargs = {})
    %getattr_1 : [num_users=1] = call_function[target=builtins.getattr](args = (%x, shape), kwargs = {})
    %layers_0 : [num_users=1] = call_module[target=layers.0](args = (%sqrt,), kwargs = {scale: %len_1})
    return {'a': layers_0, 'b': [getattr_1]}`)
    expect(forwardCode(graph)).to.equal(`def forward(self, x):
    size = x.size(0)
    sqrt = math_sqrt(size);  size = None
    len_1 = len(x)
    getattr_1 = x.shape;  x = None
    layers_0 = getattr(self.layers, "0")(sqrt, scale = len_1);  sqrt = len_1 = None
    return {'a': layers_0, 'b': [getattr_1]}`)
  })

  const mistakes: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /line 1: expected a line `graph\(\):`, got an empty text/],
    ['a graph that breaks off', SEED.split('\n').slice(0, 4).join('\n'), /expected a line `return/],
    ['a line of another kind', SEED.replace('= call_function', '= call'), /line 4: expected `%name/],
    [
      'an unknown value',
      SEED.replace('(%add, 2.0)', '(%sub, 2.0)'),
      /line 5: expected values made on earlier lines, got %sub/,
    ],
    ['a value read before it is made', SEED.replace('(%x, %y)', '(%x, %mul)'), /line 4.*%mul/],
    ['a name twice', SEED.replace('%mul :', '%add :'), /line 5: expected each name once/],
    ['an unknown result', SEED.replace('return mul', 'return nul'), /line 6.*%nul/],
    ['an open bracket', SEED.replace('(%x, %y), kwargs', '(%x, %y, kwargs'), /line 4/],
    ['bottomless nesting', SEED.replace('2.0', '('.repeat(5000)), /nesting of at most 100/],
  ]
  for (const [what, text, message] of mistakes) {
    it(`is refused with the line number: ${what}`, () => {
      expect(() => parseFx(text)).to.throw(UserError, message)
    })
  }

  it('never ends in anything but a graph or a UserError, however it is damaged', () => {
    const edit = fc.record({
      at: fc.nat(SEED.length),
      cut: fc.nat(6),
      put: fc.constantFrom('', '(', ')', '[', '{', "'", ',', ', ', '%', ':', '\n', 'slice(', '=', ' '),
    })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const text = edits.reduce((s, e) => s.slice(0, e.at) + e.put + s.slice(e.at + e.cut), SEED)
        try {
          printFx(parseFx(text))
        } catch (error) {
          expect(error).to.be.instanceOf(UserError)
        }
      }),
      { numRuns: 3000, seed: 3 },
    )
  })

  it('comes back the same from any graph', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        expect(parseFx(printFx(graph))).to.deep.equal(graph)
      }),
      { numRuns: 400, seed: 5 },
    )
  })
})

/** Arguments that only read `names`. Strings are words: the text has no quotes to keep others apart. */
function argument(names: readonly string[]): fc.Arbitrary<FxArg> {
  const leaf = fc.oneof(
    fc.constantFrom(...names).map((name): FxArg => ({ kind: 'node', name })),
    fc
      .constantFrom('2.0', '-1', 'None', 'True', 'torch.float32', 'inf', 'Ellipsis', '1e-05')
      .map((text): FxArg => ({ kind: 'literal', text })),
    fc.constantFrom('none', 'trunc', 'ij,jk->ik', 'cuda:0').map((value): FxArg => ({ kind: 'string', value })),
  )
  const whole = fc.constantFrom('None', '0', '-3').map((text): FxArg => ({ kind: 'literal', text }))
  const slice = fc
    .tuple(whole, whole, whole)
    .map(([start, stop, step]): FxArg => ({ kind: 'slice', start, stop, step }))
  const { tree } = fc.letrec<{ tree: FxArg }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      leaf,
      slice,
      fc.record({
        kind: fc.constant('sequence' as const),
        form: fc.constantFrom('tuple' as const, 'list' as const),
        items: fc.array(tie('tree'), { maxLength: 3 }),
      }),
      fc.record({
        kind: fc.constant('dict' as const),
        entries: fc.array(fc.tuple(fc.constantFrom('a', 'b'), tie('tree')), { maxLength: 2 }),
      }),
    ),
  }))
  return tree
}

const graphs: fc.Arbitrary<FxGraph> = fc.integer({ min: 1, max: 6 }).chain((count) => {
  const nodes = Array.from({ length: count }, (_, i) => nodeAt(i))
  return fc
    .tuple(fc.tuple(...nodes), fc.constantFrom('num_users' as const, '#users' as const), fc.nat(count))
    .map(([made, usersLabel, last]) => ({
      nodes: [input, ...made],
      result: {
        kind: 'sequence',
        form: 'tuple',
        items: [
          { kind: 'node', name: last === 0 ? 'x' : `v${last - 1}` },
          { kind: 'string', value: "it's" },
        ],
      },
      usersLabel,
    }))
})

const input: FxNode = { opcode: 'placeholder', name: 'x', target: 'x', args: [], kwargs: [] }

function nodeAt(i: number): fc.Arbitrary<FxNode> {
  const names = ['x', ...Array.from({ length: i }, (_, j) => `v${j}`)]
  return fc.record({
    opcode: fc.constantFrom('call_function' as const, 'call_module' as const),
    name: fc.constant(`v${i}`),
    target: fc.constantFrom('operator.add', 'torch.nn.functional.gelu', 'layers.0.linear'),
    args: fc.array(argument(names), { maxLength: 3 }),
    kwargs: fc.array(fc.tuple(fc.constantFrom('dim', 'eps'), argument(names)), { maxLength: 2 }),
  })
}

describe('the module list of a traced model', () => {
  it('gives every leaf its type and arguments by dotted path', () => {
    const modules = parseModules(`M(
  (conv): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=same, bias=False)
  (layers): Module(
    (0): LayerNorm((8,), eps=1e-05, elementwise_affine=True)
    (1): GELU(approximate='none')
  )
  (last): Identity()
)`)
    expect([...modules.keys()]).to.deep.equal(['conv', 'layers.0', 'layers.1', 'last'])
    expect(modules.get('conv')!.kwargs.get('padding')).to.deep.equal({ kind: 'string', value: 'same' })
    expect(modules.get('layers.1')!.kwargs.get('approximate')).to.deep.equal({ kind: 'string', value: 'none' })
    expect(modules.get('last')).to.deep.equal({ type: 'Identity', args: [], kwargs: new Map() })
  })
})
