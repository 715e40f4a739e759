/** Name of the folder of every tree in debug information: objects are the same wherever a tree lies. */
export const compilationFolder = "/xv6";
