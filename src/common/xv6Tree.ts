/** Files that make a folder an xv6 tree, relative to it. */
export const treeSigns = ["kernel/main.c", "kernel/proc.c"] as const;
