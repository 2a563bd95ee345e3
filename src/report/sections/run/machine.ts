// What the numbers were taken on, and how long it took.
import { formatBytes } from '../../format.ts'
import { type Html, html } from '../../html.ts'
import { section } from '../../page.ts'
import type { RunRecord } from '../../record.ts'

export function machine(r: RunRecord): Html {
  const m = r.machine
  const shapes = Object.entries(r.shapes).map(([name, shape]) => `${name} ${shape.join('\u00d7') || 'scalar'}`)
  const facts: readonly (readonly [string, string])[] = [
    ['Processor', `${m.cpu}, ${m.cores} ${m.cores === 1 ? 'core' : 'cores'}, ${formatBytes(m.memoryBytes)} of memory`],
    ['System', m.os],
    [
      'Versions',
      Object.entries(m.versions)
        .map(([name, v]) => `${name} ${v}`)
        .join(', '),
    ],
    ['Load', m.loadAverage.map((l) => l.toFixed(1)).join(', ')],
    ['Inputs', shapes.join(', ')],
    ['Cost model', r.costModel],
    ['Seed', String(r.seed)],
    [
      'Seconds',
      Object.entries(r.seconds)
        .map(([step, s]) => `${step} ${s.toFixed(1)}`)
        .join(', '),
    ],
    ['Command', r.command],
  ]
  const shown = facts.filter(([, value]) => value !== '')
  return section(
    'machine',
    'Measured on',
    null,
    html`<dl>${shown.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`,
  )
}
