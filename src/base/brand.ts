// Branded numbers: ids of different tables cannot be mixed up by accident.

export type Brand<T, Name extends string> = T & { readonly __brand: Name }
