/** Returns an OpenAPI document with what its references inside the document lead to in their place. Not for circular ones. */
export function withoutReferences<Document extends object>(document: Document): Document {
  function resolve(node: unknown): unknown {
    if (typeof node !== 'object' || node === null) return node
    if (Array.isArray(node)) return node.map(resolve)
    if ('$ref' in node) return resolve(at(String(node.$ref)))
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, resolve(value)]))
  }

  function at(reference: string): unknown {
    const [root, ...names] = reference.split('/')
    const found = names.reduce<unknown>(
      (node, name) => (node as Record<string, unknown> | undefined)?.[name],
      document,
    )
    if (root !== '#' || found === undefined) throw new Error(`the document has no ${reference}`)
    return found
  }

  return resolve(document) as Document
}
