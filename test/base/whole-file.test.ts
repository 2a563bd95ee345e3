// Files written in pieces or moved: whole or not at all, through links, with the old file's mode.
import {
  chmodSync,
  existsSync,
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
import { beginFlush, moveFile, writeChunks } from '../../src/base/whole-file.ts'

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

  it('are moved in place of what was there: its mode and the link to it stay, the source goes', () => {
    const [source, path, link] = [join(folder, 'new'), join(folder, 'a'), join(folder, 'b')]
    writeFileSync(source, 'new')
    writeFileSync(path, 'old')
    chmodSync(path, 0o600)
    symlinkSync(path, link)
    beginFlush(source)
    moveFile(source, link)
    expect(readFileSync(path, 'utf8')).to.equal('new')
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    expect(readdirSync(folder)).to.deep.equal(['a', 'b'])
  })

  it('are copied from another file system', function () {
    const other = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/allotrope-') : folder
    if (statSync(other).dev === statSync(folder).dev) this.skip()
    try {
      writeFileSync(join(other, 'new'), 'new')
      moveFile(join(other, 'new'), join(folder, 'a'))
      expect(readFileSync(join(folder, 'a'), 'utf8')).to.equal('new')
      expect(readdirSync(other)).to.deep.equal([])
    } finally {
      if (other !== folder) rmSync(other, { recursive: true })
    }
  })

  it('stay where they are when they cannot be moved', () => {
    mkdirSync(join(folder, 'a'))
    writeFileSync(join(folder, 'new'), 'new')
    expect(() => moveFile(join(folder, 'new'), join(folder, 'none', 'a'))).to.throw()
    expect(readFileSync(join(folder, 'new'), 'utf8')).to.equal('new')
  })
})
