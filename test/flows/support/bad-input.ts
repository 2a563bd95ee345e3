// The table of bad-input.test.ts: what may be wrong on a command line, and what must be said of it.

export interface Case {
  readonly what: string
  /** Words without blanks; `@name` is a path in the folder of the test. */
  readonly args: string
  readonly code: number
  /** Code of the complaint; alternatives with a bar. */
  readonly complaint: string
  readonly says: RegExp
  /** A folder that is left all the same. */
  readonly leaves?: string
}

/** One case a line: what :: arguments :: exit code and code of the complaint :: pattern of the message. */
function cases(text: string): readonly Case[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [what, args, codes, says] = line.split(' :: ').map((part) => part.trim()) as [
        string,
        string,
        string,
        string,
      ]
      const [code, complaint, , leaves] = codes.split(' ') as [string, string, string?, string?]
      return { what, args, code: Number(code), complaint, says: new RegExp(says), ...(leaves && { leaves }) }
    })
}

export const USAGE = cases(String.raw`
  no verb ::  :: 2 usage :: allotrope --help
  a verb with a typing error :: optimise @good.onnx :: 2 usage :: Did you mean optimize\?
  an option with a typing error :: optimize @good.onnx --mesure 2 :: 2 usage :: Did you mean --measure\?
  no model :: optimize :: 2 usage :: missing required argument
  too many models :: optimize @good.onnx @good.onnx :: 2 usage :: too many arguments
  an option without its value :: optimize @good.onnx -o --quiet :: 2 usage :: Expected a value
  garbage as a shape :: optimize @good.onnx --shape x=axb :: 2 usage :: NAME=1x3x224x224
  a device that no one makes :: optimize @good.onnx --device tpu :: 2 usage :: cpu, webgpu, cuda
  a time limit of nothing :: optimize @good.onnx --time-limit 0 :: 2 usage :: positive number of seconds
  rules that are none :: optimize @good.onnx --rules no-such-rule :: 2 no-such-rule :: allotrope rules
  collect without a folder :: collect cube :: 2 usage :: -o
  collect of nothing at all :: collect -o @nothing :: 2 usage :: workload
  collect into a folder that exists :: collect cube:small -o @data :: 2 file-exists :: --resume
  train without a folder :: train @data :: 2 usage :: -o
  train over a model :: train @data -o @model :: 2 file-exists :: --force
  misses of rules that are none :: optimize @good.onnx --explain-misses no-such-rule :: 2 no-such-rule :: --explain-misses.*allotrope rules
  a rule that does not exist :: rules no-such-rule :: 2 no-such-rule :: allotrope rules
`)

export const OUTPUTS = cases(String.raw`
  an output that exists :: optimize @good.onnx -o @other.onnx :: 2 file-exists :: --force
  an output in a folder that is missing :: optimize @good.onnx -o @missing/out.onnx :: 3 unwritable :: missing: expected a folder
  an output in a file :: optimize @good.onnx -o @other.onnx/out.onnx :: 3 unwritable :: other\.onnx: expected a folder
  an output that is a folder :: optimize @good.onnx -o @data --force :: 3 unwritable :: data: expected a file
  a page in a folder that is missing :: report @run.json -o @missing/page.html :: 3 unwritable :: missing: expected a folder
  a page that exists :: report @run.json -o @other.onnx :: 2 file-exists :: --force
  a dataset in a file :: collect cube:small -o @other.onnx/data :: 3 unwritable :: other\.onnx: expected a folder
  a model in a file :: train @data -o @other.onnx/model :: 3 unwritable :: other\.onnx: expected a folder
  figures that exist :: compare @data --report @other.onnx :: 2 file-exists :: --force
  a page of figures whose record exists :: compare @data --report @other.html :: 2 file-exists :: other\.json.*--force
  figures in a folder that is missing :: compare @data --report @missing/page.html :: 3 unwritable :: missing: expected a folder
`)

const RULE_FILES = String.raw`
  that is not there :: @none.json :: 3 bad-rule-file :: none\.json
  that is not JSON :: @text.json :: 3 bad-rule-file :: text\.json.*JSON
  that is other JSON :: @other.json :: 3 bad-rule-file :: other\.json.*schema
  with an unknown operator :: @foreign-rules.json :: 3 unknown-operator :: rule mine.*Foo
  with an unbound variable :: @unbound-rules.json :: 3 unbound-variable :: rule mine.*of the left side: x, got y
  with a law that does not hold :: @wrong-rules.json :: 3 wrong-rule :: rule mine.*x = float32.*left .*right
`
/** Every kind of file that is no file of rules, to both verbs that read one. */
export const RULES = ['optimize @good.onnx', 'rules'].flatMap((verb) =>
  cases(RULE_FILES).map((c) => ({
    ...c,
    what: `${verb}: rules in a file ${c.what}`,
    args: `${verb} --rule-file ${c.args}`,
  })),
)

const READERS = ['optimize', 'inspect', 'verify @good.onnx', 'collect -o @new-data']
const NOT_MODELS = String.raw`
  no such file :: @none.onnx :: 3 unreadable-file :: none\.onnx
  a folder :: @data :: 3 unreadable-file :: a folder|directory
  an empty file :: @empty.onnx :: 3 bad-model :: empty\.onnx
  text :: @text.onnx :: 3 bad-model :: text\.onnx
  a model cut short :: @cut.onnx :: 3 bad-model :: cut\.onnx
  a model without its data :: @lost.onnx :: 3 bad-external-data :: tensor
`
/** Every kind of file that is no model, to every verb that reads one. To `collect`, a folder is a name of a workload. */
export const MODELS = READERS.flatMap((verb) =>
  cases(NOT_MODELS)
    .map((c) => ({ ...c, what: `${verb}: ${c.what}`, args: `${verb} ${c.args}` }))
    .filter(({ args }) => args !== 'collect -o @new-data @data'),
)

export const RUNS = cases(String.raw`
  a model with an operator that the runtime lacks :: optimize @foreign.onnx :: 3 bad-model :: com\.example.*Mystery|Mystery.*com\.example
  collect of a model that the runtime refuses :: collect @foreign.onnx -o @foreign-data :: 3 nothing-measured leaves foreign-data :: Mystery
  a shape of an input that is none :: optimize @good.onnx --shape z=1x4 :: 3 bad-shape :: --shape z.*inputs x
  a shape of the wrong rank :: optimize @good.onnx --shape x=1x4x4 :: 3 bad-shape :: --shape x.*2 dimensions
  a shape that contradicts the model :: optimize @good.onnx --shape x=1x5 :: 3 bad-shape :: dimension 1.*4
  a sample of an input that is none :: optimize @good.onnx --sample z=1x4 :: 3 bad-shape :: --sample z.*inputs x
  a sample of the wrong rank :: optimize @good.onnx --sample x=4 :: 3 bad-shape :: --sample x.*2 dimensions
  a sample that contradicts the model :: optimize @good.onnx --sample x=1x5 :: 3 bad-shape :: dimension 1.*4
  inspect with a wrong name :: inspect @good.onnx --shape z=1x4 :: 3 bad-shape :: --shape z
  verify with a wrong name :: verify @good.onnx @other.onnx --shape z=1x4 :: 3 bad-shape :: --shape z.*inputs x
  verify with a wrong rank :: verify @good.onnx @other.onnx --shape x=4 :: 3 bad-shape :: --shape x.*2 dimensions
  dynamic shapes that the guess does not fit :: optimize @picky.onnx :: 3 bad-model :: Reshape
  inputs that are not there :: optimize @good.onnx --inputs @missing :: 3 bad-inputs :: missing: expected a folder
  inputs that are a file :: optimize @good.onnx --inputs @text.onnx :: 3 bad-inputs :: text\.onnx: expected a folder
  a folder without inputs :: optimize @good.onnx --inputs @data :: 3 bad-inputs :: input_0\.pb or \.npy
  inputs of the wrong shape :: optimize @good.onnx --inputs @wide-inputs :: 3 bad-inputs|bad-shape :: 4
  inputs of the wrong rank :: optimize @good.onnx --inputs @flat-inputs :: 3 bad-inputs|bad-shape :: 2 dimensions|\[
  inputs that are no tensors :: verify @good.onnx @other.onnx --inputs @torn-inputs :: 3 bad-model :: torn-inputs
  inputs that are no arrays :: verify @good.onnx @other.onnx --inputs @npy-inputs :: 3 bad-input-file :: npy-inputs
  verify of models with different inputs :: verify @good.onnx @renamed.onnx :: 4 not-equal :: its inputs are q, expected x
  verify of a model that computes something else :: verify @good.onnx @biased.onnx :: 4 not-equal :: relative error
  a workload with a typing error :: collect cub -o @new-data :: 3 unknown-workload :: cub
  a size that a workload has not :: collect cube:huge -o @new-data :: 3 unknown-workload :: small, full
`)

export const RECORDS = cases(String.raw`
  explain of a model without a record :: explain @good.onnx :: 3 no-record :: good\.run\.json
  report of a file that is not there :: report @none.run.json :: 3 no-record :: none\.run\.json
  report of a model :: report @good.onnx :: 3 no-record :: good\.run\.json
  report of JSON that is no record :: report @other.json :: 7 damaged-record :: other\.json
  report of text :: report @text.json :: 7 damaged-record :: text\.json
  explain of JSON that is no record :: explain @other.json :: 7 damaged-record :: other\.json
  train on a folder that is not there :: train @missing -o @new-model :: 3 no-dataset :: missing
  train on a folder that is no dataset :: train @model -o @new-model :: 3 no-dataset :: dataset\.json
  train on a dataset without rows :: train @data -o @new-model :: 7 useless-dataset :: collect
  train on a damaged dataset :: train @damaged-data -o @new-model :: 7 damaged-dataset :: graphs\.csv:2
  compare on a damaged dataset :: compare @damaged-data :: 7 damaged-dataset :: graphs\.csv:2
  collect --resume into a damaged dataset :: collect cube:small -o @damaged-data --resume :: 7 damaged-dataset :: graphs\.csv:2
  collect --resume into another folder :: collect cube:small -o @model --resume :: 3 not-a-dataset :: new folder
  compare with a model that is not there :: compare @data --model @missing :: 7 damaged-model :: missing
  optimize with a damaged cost model :: optimize @good.onnx --cost-model @damaged-model :: 7 damaged-model :: weights\.bin
`)
