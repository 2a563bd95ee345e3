// Files written in pieces: whole or not at all, through links, with the old file's mode.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { writeChunks } from '../../src/base/write-chunks.ts'

const text = (s: string) => new TextEncoder().encode(s)

describe('base: files in pieces', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'allotrope-chunks-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('hold the pieces in order, and replace what was there', () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'something longer than what comes')
    writeChunks(path, [text('one '), text(''), text('two')], true)
    expect(readFileSync(path, 'utf8')).to.equal('one two')
  })

  it('keep the mode of the old file, and follow a link to it', () => {
    const [path, link] = [join(folder, 'a'), join(folder, 'b')]
    writeFileSync(path, 'old')
    chmodSync(path, 0o600)
    symlinkSync(path, link)
    writeChunks(link, [text('new')], false)
    expect(readFileSync(path, 'utf8')).to.equal('new')
    expect(statSync(path).mode & 0o777).to.equal(0o600)
  })

  it('leave the old file and nothing else where a piece fails', () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'old')
    function* failing() {
      yield text('new')
      throw new Error('no more')
    }
    expect(() => writeChunks(path, failing(), true)).to.throw('no more')
    expect(readFileSync(path, 'utf8')).to.equal('old')
    expect(readdirSync(folder)).to.deep.equal(['a'])
  })

  it('are refused where a folder stands', () => {
    mkdirSync(join(folder, 'a'))
    expect(() => writeChunks(join(folder, 'a'), [text('x')], true)).to.throw()
    expect(readdirSync(folder)).to.deep.equal(['a'])
  })
})
