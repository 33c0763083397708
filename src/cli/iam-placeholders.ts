/**
 * What stands in a policy for what no flag gave. `<` is legal neither in an account, nor in a region, nor in the name of a
 * role: IAM refuses a principal with it, and a resource or condition with it matches nothing.
 */
export const PLACEHOLDER = {
  jetonAccount: '<ACCOUNT-OF-JETON>',
  jetonRole: '<JETON-ROLE>',
  account: '<ACCOUNT>',
  region: '<REGION>',
  trustAnchor: '<TRUST-ANCHOR-ARN>',
} as const

const NOTES: readonly { placeholder: string; note: string }[] = [
  {
    placeholder: PLACEHOLDER.jetonRole,
    note: `${PLACEHOLDER.jetonAccount} and ${PLACEHOLDER.jetonRole} stand for jeton's own role: give --jeton-role ARN, or replace them. IAM refuses the trust policy as it is`,
  },
  {
    placeholder: PLACEHOLDER.account,
    note: `${PLACEHOLDER.account} stands for the account of the tables and the key: give --account ID, or replace it. As it is, the policy does not allow their use`,
  },
  {
    placeholder: PLACEHOLDER.region,
    note: `${PLACEHOLDER.region} stands for the region of the tables and the key: give --region REGION, set AWS_REGION, or replace it. As it is, the policy does not allow their use`,
  },
  {
    placeholder: PLACEHOLDER.trustAnchor,
    note: `${PLACEHOLDER.trustAnchor} stands for the trust anchor that jeton's certificate comes from: give --trust-anchor ARN, or replace it. As it is, the trust policy lets nobody in`,
  },
]

/** Returns a note for each thing that a placeholder stands for in the text. */
export function placeholderNotes(text: string): string[] {
  return NOTES.filter(({ placeholder }) => text.includes(placeholder)).map(({ note }) => note)
}
