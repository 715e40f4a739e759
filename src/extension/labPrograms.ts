/** Programs of the two labs that have a palette entry of their own. */
export const labPrograms = ["private", "prodcons1", "prodcons2", "prodcons3", "mmaptest"] as const;
