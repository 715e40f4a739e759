/** Programs that have a palette entry of their own: those of the two labs, and the kernel's own tests. */
export const labPrograms = ["private", "prodcons1", "prodcons2", "prodcons3", "mmaptest", "usertests"] as const;
