import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { checkInstall, explainFailure, fitsMachine, nodeFault, npmCommand, thisMachine } from '../../.ci/install.mjs'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const LINUX = { os: 'linux', cpu: 'x64', libc: 'glibc' }
const MAC = { os: 'darwin', cpu: 'arm64', libc: null }

const LOCK = {
  '': { version: '0.1.0' },
  'node_modules/alpha': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/alpha/node_modules/beta': { version: '2.0.0' },
  'node_modules/native-linux': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
  'node_modules/native-mac': { version: '1.0.0', optional: true, os: ['darwin'] },
}

/** A project with LOCK installed for Linux, as npm would leave it. */
function makeProject(): { root: string; write: (path: string, content: unknown) => void } {
  const root = mkdtempSync(join(tmpdir(), 'allotrope with spaces '))
  const write = (path: string, content: unknown) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), JSON.stringify(content))
  }
  const installed = Object.entries(LOCK).filter(([path]) => path !== '' && !path.endsWith('mac'))
  write('package-lock.json', { packages: LOCK })
  for (const [path, entry] of installed) write(`${path}/package.json`, entry)
  write('node_modules/.package-lock.json', { packages: Object.fromEntries(installed) })
  return { root, write }
}

describe('the install check', () => {
  let project: ReturnType<typeof makeProject>
  beforeEach(() => {
    project = makeProject()
  })
  afterEach(() => rmSync(project.root, { recursive: true, force: true }))
  const reason = (machine: Parameters<typeof checkInstall>[1] = LINUX) => {
    const verdict = checkInstall(project.root, machine)
    return verdict.current ? 'current' : verdict.reason
  }

  it('accepts a complete install and does not ask for packages of other systems', () => {
    expect(reason()).to.equal('current')
  })

  it('sees that nothing is installed', () => {
    rmSync(join(project.root, 'node_modules'), { recursive: true })
    expect(reason()).to.equal('dependencies are not installed')
  })

  it('sees an interrupted install: npm had not written its own lockfile yet', () => {
    rmSync(join(project.root, 'node_modules/.package-lock.json'))
    expect(reason()).to.equal('the last install was interrupted')
  })

  it('sees a torn lockfile of npm as an interrupted install', () => {
    writeFileSync(join(project.root, 'node_modules/.package-lock.json'), '{"packages": {')
    expect(reason()).to.equal('the last install was interrupted')
  })

  it('sees a package that was deleted by hand', () => {
    rmSync(join(project.root, 'node_modules/alpha/node_modules/beta'), { recursive: true })
    expect(reason()).to.equal('beta is missing')
  })

  it('sees a lockfile that has moved on, by version and by content', () => {
    project.write('package-lock.json', { packages: { ...LOCK, 'node_modules/alpha': { version: '1.1.0' } } })
    expect(reason()).to.equal('alpha is 1.0.0, the lockfile asks for 1.1.0')
    project.write('package-lock.json', {
      packages: { ...LOCK, 'node_modules/alpha': { version: '1.0.0', integrity: 'sha512-b' } },
    })
    expect(reason()).to.equal('alpha differs from the lockfile')
  })

  it('sees node_modules copied from another operating system', () => {
    expect(reason(MAC)).to.equal('native-mac is missing')
  })

  it('agrees with what npm did in this repository', () => {
    expect(checkInstall(ROOT, thisMachine())).to.deep.equal({ current: true })
  })
})

describe('the platform rule', () => {
  it('matches, excludes and ignores as npm does', () => {
    expect(fitsMachine({}, LINUX)).to.equal(true)
    expect(fitsMachine({ os: ['!win32'] }, LINUX)).to.equal(true)
    expect(fitsMachine({ os: ['!linux'] }, LINUX)).to.equal(false)
    expect(fitsMachine({ cpu: ['arm64'] }, LINUX)).to.equal(false)
    expect(fitsMachine({ libc: ['musl'] }, LINUX)).to.equal(false)
    expect(fitsMachine({ os: ['darwin'], libc: ['glibc'] }, MAC)).to.equal(true)
  })
})

describe('the set-up messages', () => {
  it('say that the registry cannot be reached when that is so', () => {
    const text = explainFailure(1, 'npm error code ENOTFOUND\nnpm error errno ENOTFOUND')
    expect(text).to.contain('could not be reached (ENOTFOUND)').and.to.contain('run the same command again')
  })

  it('otherwise give the exit code', () => {
    expect(explainFailure(7, 'npm error code EUSAGE')).to.contain('npm ci ended with exit code 7')
  })

  it('refuse a Node that is too old', () => {
    expect(nodeFault('20.18.3')).to.contain('20.19')
    expect(nodeFault('18.20.0')).to.be.a('string')
    for (const version of ['20.19.0', '22.1.0', '24.0.0']) expect(nodeFault(version), version).to.equal(null)
  })

  it('start npm without a shell where npm says where it lies, and never through another package manager', () => {
    const other = npmCommand({ npm_execpath: '/opt/yarn/bin/yarn.js' })
    expect(other.args.join(' ')).not.to.contain('yarn')
    const self = fileURLToPath(import.meta.url)
    expect(npmCommand({ npm_execpath: self }).args).not.to.include(self)
  })
})
