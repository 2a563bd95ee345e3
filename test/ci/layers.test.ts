import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { checkLayers, findCycles, ROWS, readSources, roomOf } from '../../.ci/layers.mjs'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const check = (files: Record<string, string>) => checkLayers(new Map(Object.entries(files)))
const faultsOf = (files: Record<string, string>) => check(files).faults

describe('the layers check', () => {
  it('accepts imports that go down or stay in the room', () => {
    const faults = faultsOf({
      'src/base/errors.ts': '',
      'src/ir/shape.ts': "import '../base/errors.ts'",
      'src/ir/graph.ts': "import type { Shape } from './shape.ts'",
      'src/ir/ops/conv.ts': "import '../graph.ts'",
      'src/optimize.ts': "import './ir/graph.ts'\nimport './collect.ts'",
      'src/collect.ts': '',
      'src/index.ts': "export * from './optimize.ts'",
      'src/cli/main.ts': "import '../optimize.ts'\nimport { Command } from 'commander'",
    })
    expect(faults).to.deep.equal([])
  })

  it('refuses every upward import, type-only ones too', () => {
    expect(
      faultsOf({ 'src/ir/a.ts': "\nimport type { B } from '../rewrite/b.ts'", 'src/rewrite/b.ts': '' }),
    ).to.deep.equal(['src/ir/a.ts:2 imports src/rewrite/b.ts: upward, from ir (row 1) to rewrite (row 3)'])
    expect(faultsOf({ 'src/report/a.ts': "import '../optimize.ts'", 'src/optimize.ts': '' })).to.have.length(1)
    expect(faultsOf({ 'src/optimize.ts': "import './index.ts'", 'src/index.ts': '' })).to.have.length(1)
  })

  it('refuses every sideways import', () => {
    expect(faultsOf({ 'src/egraph/a.ts': "import '../ir/b.ts'", 'src/ir/b.ts': '' })).to.deep.equal([
      'src/egraph/a.ts:1 imports src/ir/b.ts: sideways, from egraph (row 1) to ir (row 1)',
    ])
    expect(faultsOf({ 'src/cli/a.ts': "import '../index.ts'", 'src/index.ts': '' })).to.have.length(1)
  })

  it('refuses an upward reference through a URL, as a worker is started', () => {
    const up = { 'src/ir/a.ts': "new URL('../runtime/w.ts', import.meta.url)", 'src/runtime/w.ts': '' }
    expect(faultsOf(up)).to.have.length(1)
    const ownFolder = {
      'src/runtime/a.ts': "new URL('./w.ts', import.meta.url)",
      'src/runtime/w.ts': "import './a.ts'",
    }
    expect(faultsOf(ownFolder)).to.deep.equal([])
  })

  it('refuses what src must not import: training, test, examples', () => {
    for (const folder of ['training', 'test', 'examples']) {
      const faults = faultsOf({ 'src/cli/a.ts': `import '../../${folder}/b.ts'`, [`${folder}/b.ts`]: '' })
      expect(faults, folder).to.deep.equal([`src/cli/a.ts:1 imports ${folder}/b.ts, which is outside src`])
    }
    expect(faultsOf({ 'training/a.ts': "import '../src/ir/b.ts'", 'src/ir/b.ts': '' })).to.deep.equal([])
  })

  it('refuses an import cycle and names its members', () => {
    const faults = faultsOf({
      'src/ir/a.ts': "import './b.ts'",
      'src/ir/b.ts': "import type { C } from './c.ts'",
      'src/ir/c.ts': "import './a.ts'",
      'src/ir/d.ts': "import './a.ts'",
    })
    expect(faults).to.deep.equal(['import cycle among src/ir/a.ts, src/ir/b.ts, src/ir/c.ts'])
  })

  it('refuses a file in a room that no row names, and a file that does not exist', () => {
    expect(faultsOf({ 'src/utils/a.ts': '' })[0]).to.match(/^src\/utils\/a.ts is in no row/)
    expect(faultsOf({ 'src/stray.ts': '' })[0]).to.match(/^src\/stray.ts is in no row/)
    expect(faultsOf({ 'src/ir/a.ts': "import './gone.ts'" })).to.deep.equal([
      'src/ir/a.ts:1 imports src/ir/gone.ts, which does not exist',
    ])
  })

  it('keeps libraries behind the wall of their room', () => {
    const text = "import { Command } from 'commander'"
    expect(faultsOf({ 'src/search/a.ts': text })).to.deep.equal([
      'src/search/a.ts:1 imports commander, which only src/cli may know',
    ])
    expect(faultsOf({ 'src/onnx/a.ts': "import '@bufbuild/protobuf/codegenv2'" })).to.deep.equal([])
    expect(faultsOf({ 'src/bench/a.ts': "import '@bufbuild/protobuf/codegenv2'" })).to.have.length(1)
  })

  it('warns of files over 300 lines and refuses files over 400', () => {
    const { faults, warnings } = check({
      'src/ir/a.ts': '\n'.repeat(301),
      'test/b.ts': '\n'.repeat(401),
      'src/ir/c.ts': '\n'.repeat(300),
    })
    expect(warnings).to.deep.equal(['src/ir/a.ts has 301 lines, more than 300'])
    expect(faults).to.deep.equal(['test/b.ts has 401 lines, more than 400'])
    expect(faultsOf({ 'src/onnx/generated/onnx_pb.ts': '\n'.repeat(5000) })).to.deep.equal([])
  })

  it('knows the room of every source file of this project', () => {
    const sources = readSources(ROOT)
    expect(sources.size).to.be.greaterThan(20)
    for (const file of sources.keys())
      if (file.startsWith('src/')) expect(roomOf(file), file).to.be.oneOf(Object.keys(ROWS))
  })
})

describe('the cycle finder', () => {
  const edges = (...pairs: string[]) => pairs.map((p) => ({ from: p[0]!, to: p[1]!, line: 1, kind: 'import' as const }))

  it('finds separate circles, self-imports among them, and nothing in a diamond', () => {
    expect(findCycles(edges('ab', 'ba', 'bc', 'cd', 'dc', 'ee')).map((c) => c.sort().join(''))).to.have.members([
      'ab',
      'cd',
      'e',
    ])
    expect(findCycles(edges('ab', 'ac', 'bd', 'cd'))).to.deep.equal([])
  })
})
