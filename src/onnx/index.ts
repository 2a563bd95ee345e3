// The ONNX room: the only one that knows protobuf. Reads and writes models and test tensors, raises opsets, writes stubs.
// `generated/onnx_pb.ts` is made from onnx.proto (ONNX 1.23's onnx-ml.proto, Apache-2.0). To make it again, in src/onnx:
//   protoc -I . --plugin=../../node_modules/.bin/protoc-gen-es --es_out=generated \
//     --es_opt=target=ts,import_extension=ts,erasable_syntax=true onnx.proto
export {
  isOneFile,
  moveModelFile,
  readModelBytes,
  readModelFile,
  type StoredTensors,
  type WriteOptions,
  writeModelFile,
} from './file.ts'
export { type Envelope, innerModelOf, type Model, modelOf, type ReadOptions, readModel, writeModel } from './model.ts'
export { DEFAULT_OPSET, LATEST_OPSET, namesIn, type Raised, raiseModel, raiseOpset } from './opset.ts'
export { type StubPaths, writeStubModel } from './stub.ts'
export { type Body, bodiesOf, withBodies, withoutUnread } from './subgraph.ts'
export { encodeTensor, parseTensor } from './tensor.ts'
