// `doctor`: which devices and trainers are really there, found by using each of them, and how to get the others.
import { availableParallelism, cpus, totalmem } from 'node:os'
import { probeTrainers } from '../../cost/tensorflow.ts'
import type { Availability } from '../../runtime/index.ts'
import { type Answer, defineCommand } from '../command.ts'
import { shortBytes } from '../table.ts'

interface Finding extends Availability {
  readonly name: string
}

/** Probes one device after the other: two at once would disturb each other. */
async function probeDevices(): Promise<Finding[]> {
  // Loaded here, so that other verbs do not pay for it.
  const { createBackend, DEVICES } = await import('../../runtime/index.ts')
  const findings: Finding[] = []
  for (const name of DEVICES) {
    const backend = createBackend(name)
    try {
      const { available, reason, fix } = await backend.probe()
      findings.push({ name, available, reason, fix })
    } finally {
      await backend.close()
    }
  }
  return findings
}

function describe(title: string, findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((f) => f.name.length))
  const lines = findings.map((f) => {
    const line = `  ${f.available ? 'yes' : 'no '}  ${f.name.padEnd(width)}  ${f.reason}`
    return f.available ? line : `${line}\n       ${' '.repeat(width)}  to get it: ${f.fix}`
  })
  return [title, ...lines].join('\n')
}

export const doctor = defineCommand({
  name: 'doctor',
  operands: '',
  summary: 'devices and trainers: present, or why not and how to get them',
  examples: [
    ['', 'what this machine offers'],
    ["--json | jq '.devices[] | select(.available).name'", 'the devices that work'],
  ],
  schemaVersion: 1,
  options: {},
  async run({ talk }): Promise<Answer> {
    const node = {
      version: process.versions.node,
      platform: process.platform,
      arch: process.arch,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      threads: availableParallelism(),
      memoryBytes: totalmem(),
    }
    talk.note('probe', 'a small computation on every device and trainer')
    const devices = await probeDevices()
    const trainers = await probeTrainers()
    const machine = `node ${node.version} on ${node.platform} ${node.arch}: ${node.cpu}, ${node.threads} threads, ${shortBytes(node.memoryBytes)}`
    const text = [
      machine,
      describe('devices, which run models', devices),
      describe('trainers, which fit cost models', trainers),
    ].join('\n')
    return { data: { node, devices, trainers }, text }
  },
})
