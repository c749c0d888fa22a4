// Who has signed something, as a list for people.

export function signers(signed: readonly { replica: number }[]): string {
  return signed.map(({ replica }) => replica).join(', ')
}
