// Writes docs/rules.md from the tables of rules: `npm run docs`. A test holds the file to the tables.
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Rule } from '../src/rewrite/rule.ts'
import { ruleFamilies } from '../src/rewrite/rules/index.ts'

export const RULES_DOCUMENT = new URL('../docs/rules.md', import.meta.url)

/** Title of each family and the reasoning that its rules share. */
const FAMILIES: Readonly<Record<string, readonly [title: string, text: string]>> = {
  recognise: [
    'Recognition',
    `Exporters spell one operator as many small ones. Runtimes have fast kernels for the whole, and algebra would tear the pattern apart,
so recognition runs first, to its own fixed point. Each law is the definition of the operator in the ONNX specification, read from right
to left.`,
  ],
  movement: [
    'Movement',
    `An operator's axis map says from which axis of each input the coordinate of an output axis comes. Where it is one axis, a selection along the
output axis is a selection along the input axis, and may move through: what is not computed costs nothing. The same maps say when a repeated
input (an Expand) may be repeated after the operator instead of before it.`,
  ],
  linear: [
    'Linear maps',
    `A product with a constant is a linear map of its rows. It commutes with every operator that is linear in that operand and does not mix the
axis it works on; two maps in a row are one, by a product of constants that is computed once; maps side by side are one wider map. Low rank
is kept where it is cheaper: x (A B) costs more than (x A) B when the inner dimension is small. Rows added up at positions that a tensor
holds, scatter(0, i, x), are one of the operators it commutes with, as is their gathering: a graph network applies its weights to the
nodes or to the edges, before or after it adds up, whichever is least. ScatterElements and ScatterND are never exchanged: ONNX Runtime adds up
in parallel in ScatterND without a guard, and loses terms there when it has more than one thread and positions repeat.`,
  ],
  scale: [
    'Factors',
    `A factor that does not vary along the axis a linear map sums over commutes with it, and two factors of one product are one. Factors move to
where they meet a constant, and vanish in it.`,
  ],
  constant: [
    'Constants',
    `A constant term moves through sums and linear maps to where it meets another constant, and the two are one. To keep the number of forms
small, it moves past a sibling only where that sibling carries a constant too.`,
  ],
  conv: [
    'Convolutions',
    `Convolution is bilinear: in the picture and in the kernel. So a linear map of channels before or after it goes into its kernel, two that share their
input are one with more channels, and kernels of different sizes are added after padding the smaller one with zeros.`,
  ],
  'sub-pixel': [
    'Blocks of pixels',
    `A convolution of a picture whose pixels were repeated reads each of them several times; a transposed convolution spreads each over several places.
For the pixels at one place of a block (a phase) either is a small convolution of the small picture, and DepthToSpace puts the phases in their
places; those of a line are interleaved. Where the windows of a transposed convolution lie side by side, one map of channels computes all phases. What is
done pixel by pixel is done before they are put in place: element by element, or by one map for each phase. So heads that enlarge a picture
twice compute all phases at the small size, in the blocked layout, and put in place only the last result.`,
  ],
  merge: [
    'Merges',
    `Products and convolutions of one input are one with more outputs, of which each takes its part. Several roots match at once, joined on the input
that they share. All siblings merge at once, so that an input has one merged form and not one for each subset.`,
  ],
  dead: [
    'Dead channels',
    `Pruning leaves channels that are zero, and normalisation with a gain of zero leaves channels that hold one number everywhere. What reads them
does without, and the selection of the others moves down to what makes them, so that neither is computed.`,
  ],
  subnormal: [
    'Subnormal weights',
    `Weights that training drove below the normal range of float32 (2^-126) are zeros that nobody wrote as such: Intel's processors take some hundred
cycles for a product with one. Run once, after the search, for CPUs.`,
  ],
  algebra: ['Algebra', 'Laws of sums and products element by element, and of tables.'],
  extreme: [
    'Extremes',
    `A function that never falls takes the largest element to the largest: it need not be computed of the others. A graph network that takes the
largest over neighbours adds its biases and applies its activations to what is left.`,
  ],
  activation: [
    'Activations',
    `Some kernels of a runtime work element by element where their pieces are vectorised: then the pieces are faster than the whole. Each
identity is stable over the whole range of its operator.`,
  ],
  resize: [
    'Interpolation',
    `Linear and cubic interpolation are linear maps along each axis. As a product by a constant a cubic Resize is up to 59 times as fast. Where
sizes grow by whole factors, half-pixel coordinates give the same as those that the runtime resizes by in its blocked layout. These forms are made
once, after the search.`,
  ],
  layout: [
    'Layout',
    `Convolutional networks run fastest where ONNX Runtime keeps its blocked layout from end to end. A picture times one number per channel, as
squeeze-and-excite has it, takes it out of it and back; so does a convolution of 22 channels, which 24 keep in it. The layout, and the fast depthwise
convolution, are for pictures: lines become pictures of one row. These forms are made once, after
the search, from what it found: nothing else follows from them.`,
  ],
  seed: [
    'The seed demonstration',
    `The three rules of the demonstration that this project started from. They run only on demand: the canonical form already holds both sides of
each of them.`,
  ],
}

const EXACTNESS: Readonly<Record<Rule['exactness'], string>> = {
  exact: 'the same numbers, bit for bit, up to the choices of the runtime',
  reassociates: 'the same real number, rounded differently',
  finite: 'the same real number where all numbers are finite',
  flushes: 'values below the normal range may become zero',
}

/** Text for a cell of a Markdown table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (text: string): string => `\`${text.replaceAll('`', "'")}\``

/** The whole of docs/rules.md. */
export function rulesDocument(): string {
  const exactness = Object.entries(EXACTNESS).map(([name, text]) => `- **${name}**: ${text}`)
  const sections = ruleFamilies.map(({ name, phase, rules }) => {
    const [title, text] = FAMILIES[name] ?? [name, '']
    const rows = rules.map((r) => `| ${code(r.name)} | ${cell(r.law)} | ${cell(r.condition) || '-'} | ${r.exactness} |`)
    return `## ${title}

${text}

Family ${code(name)}, phase ${code(phase)}.

| rule | law | when | exactness |
|---|---|---|---|
${rows.join('\n')}
`
  })
  return `# Rules

<!-- Made by \`npm run docs\` from src/rewrite/rules. Do not edit. -->

Each rule is a law: both sides compute the same function of real numbers wherever its condition holds. The search may use it in the
direction that is written; which side ends up in the model is for the cost model and the measurement to say. Each rule is checked on random
shapes and values by the tests. \`allotrope rules NAME\` shows one with its source. [Rules of your own](own-rules.md) come from a file.

What a rule may change in floating point:

${exactness.join('\n')}

${sections.join('\n')}`
}

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  writeFileSync(RULES_DOCUMENT, rulesDocument())
}

/** What docs/rules.md says now. */
export const writtenRules = (): string => readFileSync(RULES_DOCUMENT, 'utf8')
