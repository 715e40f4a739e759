/** LLVM 22 IR text as LLVM 13's `llc` reads it. Throws an Error that names the construct it does not know. */
export function downgrade(text: string): string;
