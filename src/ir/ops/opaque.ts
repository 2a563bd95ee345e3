// Operators of ONNX's own domains that have no record, each group with its reason: they are carried as they came, and optimised around. Domains that
// are not listed (other vendors', a user's own) are opaque as a whole.

export interface OpaqueGroup {
  readonly domain: string
  readonly names: readonly string[]
  readonly reason: string
}

const group = (names: string, reason: string, domain = ''): OpaqueGroup => ({ domain, names: names.split(' '), reason })

export const OPAQUE_BY_DECISION: readonly OpaqueGroup[] = [
  group(
    'If Loop Scan',
    'holds graphs, each of which is optimised as one of its own where that is safe; the values that they read keep their names',
  ),
  group(
    'SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap SplitToSequence ConcatFromSequence',
    'takes or gives sequences, which are no tensors',
  ),
  group('Optional OptionalGetElement OptionalHasElement', 'takes or gives optional values, which are no tensors'),
  group('StringConcat StringNormalizer StringSplit RegexFullMatch TfIdfVectorizer', 'works on text'),
  group('ImageDecoder', 'decodes a file format'),
  group('NonMaxSuppression Unique', 'the shape of the result depends on the numbers, and no algebra passes through'),
  group('NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss', 'a loss, for training'),
  group(
    'DFT STFT MelWeightMatrix',
    'complex numbers as pairs of reals; exporters write transforms as products with constants, which are linear maps',
  ),
  group('Det', 'linear in no operand, and seldom'),
  group('CenterCropPad', 'crops along one axis and pads along another, as the sizes at run time say'),
  group('TensorScatter', 'updates a cache in place, which a runtime may do without a copy'),
  group('BitCast CausalConvWithState LinearAttention', 'newer than opset 25, the latest that graphs are raised to'),
  group(
    'ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor ZipMap',
    'classical models and their features: one fused operator each, with its parameters as attributes',
    'ai.onnx.ml',
  ),
  group('FlexAttention', 'a draft', 'ai.onnx.preview'),
  group('Adagrad Adam Gradient Momentum', 'for training', 'ai.onnx.preview.training'),
]
