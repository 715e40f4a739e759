// Task 2: what kernel and user programs agree on, and the kernel's two structs.
// The inspector finds shared regions by these names.

#ifndef SHMEM_H
#define SHMEM_H

#define PROT_READ      2         // the same bits as PTE_R
#define PROT_WRITE     4         // and PTE_W
#define MAP_SHARED     1

#define NSHMEM         16        // regions that exist at one time
#define NMAPPING       10        // regions that one process has mapped
#define SHMEM_MAXPAGES 64        // pages of one region

// Memory that processes share. Several page tables may map it, and each of
// them at another address: so there is no address here.
struct shmem_region {
  int id;                        // > 0: its name; 0: it has none
  int npages;
  uint64 pa[SHMEM_MAXPAGES];     // its pages, wherever kalloc() found them
  int refcount;                  // address spaces that map it; 0: free entry
};

// One region in the address space of one process. Only the process itself
// uses its mappings: no lock is needed for them.
struct mapping {
  uint64 addr;                   // where it begins
  int prot;
  struct shmem_region *region;   // 0: free entry
};

#endif
