import type { ValueForm } from './known-claims.ts'

/** A git ref as it is in the repository. */
export const GIT_REF: ValueForm = { begins: ['refs/'], example: 'refs/heads/main' }
/** A branch without the ref in front. */
export const BRANCH: ValueForm = { beginsNot: ['refs/'], example: 'main' }
/** What a ref is. */
export const REF_TYPE: ValueForm = { whole: /^(?:branch|tag)$/, example: 'branch' }
/** A claim that is true or false. */
export const TRUTH: ValueForm = { whole: /^(?:true|false)$/, example: 'true' }
/** An id of digits. */
export const NUMBER: ValueForm = { whole: /^\d+$/, example: '123456' }
/** An id in lower case. */
export const UUID: ValueForm = {
  whole: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  example: '0a1b2c3d-1111-2222-3333-444455556666',
}
/** Of the runners that a vendor has, and those of its customers. */
export const runnerForm = (vendor: string): ValueForm => ({
  whole: new RegExp(`^(?:${vendor}-hosted|self-hosted)$`),
  example: `${vendor}-hosted`,
})
