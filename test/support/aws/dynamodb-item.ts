import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** Returns an item with plain values instead of attribute values: text, numbers, bytes. */
export function plainItem(item: Record<string, AttributeValue>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]))
}

function plain({ S, N, B, BOOL }: AttributeValue): unknown {
  return S ?? B ?? BOOL ?? (N === undefined ? null : Number(N))
}
