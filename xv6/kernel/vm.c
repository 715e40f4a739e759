// Page tables: the kernel's own and those of the processes, and the ways
// to reach user memory from kernel code.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "spinlock.h"
#include "proc.h"
#include "fs.h"
#include "defs.h"

#define NPTE 512                // entries of a page-table page

// The kernel's page table. All harts use it whenever they are in the kernel
// (uservec switches to it).
pagetable_t kernel_pagetable;

extern char etext[];            // first byte after the kernel's code
extern char trampoline[];       // trampoline.S

// Returns a fresh page with every byte 0, or 0 if memory has run out.
static void*
zeropage(void)
{
  void *page = kalloc();
  if(page)
    memset(page, 0, PGSIZE);
  return page;
}

// Maps start .. end - 1 to the same physical addresses.
static void
mapdirect(pagetable_t kpgtbl, uint64 start, uint64 end, int perm)
{
  kvmmap(kpgtbl, start, start, end - start, perm);
}

// Almost all of the kernel's map is "direct": va == pa, so that a physical
// address can be used as a pointer. Only the trampoline and the kernel
// stacks have high addresses of their own.
static pagetable_t
kvmmake(void)
{
  const int rw = PTE_R | PTE_W, rx = PTE_R | PTE_X;
  uint64 code_end = (uint64)etext;
  pagetable_t kpgtbl = zeropage();

  if(kpgtbl == 0)
    panic("kvmmake");

  mapdirect(kpgtbl, PLIC, PLIC + PLIC_SIZE, rw);
  mapdirect(kpgtbl, UART0, UART0 + PGSIZE, rw);
  mapdirect(kpgtbl, VIRTIO0, VIRTIO0 + PGSIZE, rw);

  // Code may run but not change; all other RAM may change but not run.
  mapdirect(kpgtbl, KERNBASE, code_end, rx);
  mapdirect(kpgtbl, code_end, PHYSTOP, rw);

  proc_mapstacks(kpgtbl);
  kvmmap(kpgtbl, TRAMPOLINE, (uint64)trampoline, PGSIZE, rx);
  return kpgtbl;
}

void
kvminit(void)
{
  kernel_pagetable = kvmmake();
}

// On each hart: start to use it.
void
kvminithart(void)
{
  sfence_vma();   // let the stores to the table reach memory first
  w_satp(MAKE_SATP(kernel_pagetable));
  sfence_vma();   // drop what was cached under the old satp
}

// Finds the entry that maps va at the lowest level. A missing table page on
// the way is made if alloc is not 0. Returns 0 if one is missing and not
// to be made, or if there is no memory for it.
//
// Sv39 splits an address like this:
//   63..39 zero | 38..30 level 2 | 29..21 level 1 | 20..12 level 0 | 11..0
pte_t*
walk(pagetable_t pagetable, uint64 va, int alloc)
{
  if(va >= MAXVA)
    panic("walk");

  pte_t *pte = pagetable + PX(2, va);
  for(int level = 1; level >= 0; level--){
    if((*pte & PTE_V) == 0){
      void *page = alloc ? zeropage() : 0;
      if(page == 0)
        return 0;
      *pte = PA2PTE(page) | PTE_V;
    }
    pagetable_t lower = (pagetable_t)PTE2PA(*pte);
    pte = lower + PX(level, va);
  }
  return pte;
}

// Returns the physical address of the user page at va, or 0 if user mode
// may not use that address.
uint64
walkaddr(pagetable_t pagetable, uint64 va)
{
  if(va >= MAXVA)
    return 0;

  pte_t *pte = walk(pagetable, va, 0);
  if(pte == 0 || (*pte & PTE_V) == 0 || (*pte & PTE_U) == 0)
    return 0;
  return PTE2PA(*pte);
}

// Maps a range into the kernel page table, at boot only. There is no
// recovery from a failure this early.
void
kvmmap(pagetable_t kpgtbl, uint64 va, uint64 pa, uint64 sz, int perm)
{
  if(mappages(kpgtbl, va, sz, pa, perm) != 0)
    panic("kvmmap");
}

// Maps every page that has a byte in va .. va + size - 1, the first of them
// to pa, the next to pa + PGSIZE, and so on. Returns 0, or -1 if there is
// no memory for table pages; what has been mapped by then stays mapped.
int
mappages(pagetable_t pagetable, uint64 va, uint64 size, uint64 pa, int perm)
{
  if(size == 0)
    panic("mappages: size");

  uint64 last = PGROUNDDOWN(va + size - 1);
  for(uint64 a = PGROUNDDOWN(va); a <= last; a += PGSIZE, pa += PGSIZE){
    pte_t *pte = walk(pagetable, a, 1);
    if(pte == 0)
      return -1;
    // Overwriting an entry would leak the page it points to.
    if(*pte & PTE_V)
      panic("mappages: remap");
    *pte = PA2PTE(pa) | perm | PTE_V;
  }
  return 0;
}

// Removes npages mappings from va on, all of which must exist. Gives the
// memory back to kalloc too if do_free is not 0.
void
uvmunmap(pagetable_t pagetable, uint64 va, uint64 npages, int do_free)
{
  if(va % PGSIZE != 0)
    panic("uvmunmap: not aligned");

  for(uint64 i = 0; i < npages; i++){
    pte_t *pte = walk(pagetable, va + i*PGSIZE, 0);
    if(pte == 0)
      panic("uvmunmap: walk");
    if((*pte & PTE_V) == 0)
      panic("uvmunmap: not mapped");
    if((*pte & (PTE_R | PTE_W | PTE_X)) == 0)
      panic("uvmunmap: not a leaf");
    if(do_free)
      kfree((void*)PTE2PA(*pte));
    *pte = 0;
  }
}

// Returns an empty user page table, or 0.
pagetable_t
uvmcreate(void)
{
  return zeropage();
}

// Puts a page of zeros at va. Returns its kernel address, or 0 if memory
// has run out (then nothing has changed).
static void*
addpage(pagetable_t pagetable, uint64 va, int perm)
{
  void *page = zeropage();

  if(page != 0 && mappages(pagetable, va, PGSIZE, (uint64)page, perm) != 0){
    kfree(page);
    return 0;
  }
  return page;
}

// Loads initcode at address 0 of the very first process.
void
uvmfirst(pagetable_t pagetable, uchar *src, uint sz)
{
  if(sz >= PGSIZE)
    panic("uvmfirst: initcode larger than a page");

  char *page = addpage(pagetable, 0, PTE_R | PTE_W | PTE_X | PTE_U);
  if(page == 0)
    panic("uvmfirst");
  memmove(page, src, sz);
}

// Grows user memory from oldsz to newsz bytes; neither need be a multiple
// of the page size. The new pages are zero, readable, and have xperm too.
// Returns newsz, or 0 if memory ran out (then nothing has changed).
uint64
uvmalloc(pagetable_t pagetable, uint64 oldsz, uint64 newsz, int xperm)
{
  if(newsz < oldsz)
    return oldsz;

  // The page that holds byte oldsz - 1 is there already.
  for(uint64 a = PGROUNDUP(oldsz); a < newsz; a += PGSIZE){
    if(addpage(pagetable, a, PTE_R | PTE_U | xperm) == 0){
      uvmdealloc(pagetable, a, oldsz);   // the pages before it
      return 0;
    }
  }
  return newsz;
}

// Shrinks user memory from oldsz to newsz bytes. Returns the new size.
uint64
uvmdealloc(pagetable_t pagetable, uint64 oldsz, uint64 newsz)
{
  // The page that holds byte newsz - 1 must stay.
  uint64 from = PGROUNDUP(newsz);
  uint64 to = PGROUNDUP(oldsz);

  if(from < to)
    uvmunmap(pagetable, from, (to - from) / PGSIZE, 1);
  return newsz < oldsz ? newsz : oldsz;
}

// Frees the pages of the table itself, lower levels first. The memory that
// it mapped must be unmapped by now: a leaf found here is a page that
// nobody else would ever free.
static void
freewalk(pagetable_t pagetable)
{
  for(int i = 0; i < NPTE; i++){
    pte_t pte = pagetable[i];
    if((pte & PTE_V) == 0)
      continue;
    if(pte & (PTE_R | PTE_W | PTE_X))
      panic("freewalk: leaf");
    freewalk((pagetable_t)PTE2PA(pte));
  }
  kfree(pagetable);
}

// Frees sz bytes of user memory from address 0, then the page table.
void
uvmfree(pagetable_t pagetable, uint64 sz)
{
  uvmunmap(pagetable, 0, PGROUNDUP(sz) / PGSIZE, 1);
  freewalk(pagetable);
}

// Copies one page of a parent to the same address in a child: new memory,
// same content, same permissions. Returns 0, or -1 with nothing changed.
static int
copypage(pagetable_t new, uint64 va, pte_t pte)
{
  char *mem = kalloc();
  if(mem == 0)
    return -1;

  memmove(mem, (char*)PTE2PA(pte), PGSIZE);
  // Without V, since mappages() sets that by itself.
  if(mappages(new, va, PGSIZE, (uint64)mem, PTE_FLAGS(pte) & ~PTE_V) != 0){
    kfree(mem);
    return -1;
  }
  return 0;
}

// For fork(): copies sz bytes of user memory from address 0.
// Returns 0, or -1 after freeing what it had copied.
int
uvmcopy(pagetable_t old, pagetable_t new, uint64 sz)
{
  for(uint64 va = 0; va < sz; va += PGSIZE){
    pte_t *pte = walk(old, va, 0);
    if(pte == 0)
      panic("uvmcopy: pte should exist");
    if((*pte & PTE_V) == 0)
      panic("uvmcopy: page not present");
    if(copypage(new, va, *pte) != 0){
      uvmunmap(new, 0, va / PGSIZE, 1);
      return -1;
    }
  }
  return 0;
}

// Takes the page at va away from user mode: exec() makes the guard page
// below the stack with it.
void
uvmclear(pagetable_t pagetable, uint64 va)
{
  pte_t *pte = walk(pagetable, va, 0);
  if(pte == 0)
    panic("uvmclear");
  *pte &= ~PTE_U;
}

// How many bytes from va on, at most len, lie on va's page.
static uint64
bytesonpage(uint64 va, uint64 len)
{
  uint64 left = PGSIZE - va % PGSIZE;
  return left < len ? left : len;
}

// The kernel address of the user byte at va, or 0 if user mode could not
// write there. The check matters: the kernel's own mapping of that memory
// is writable even if the user's is read-only, as program text is.
static char*
writable(pagetable_t pagetable, uint64 va)
{
  uint64 pa = walkaddr(pagetable, va);
  if(pa == 0 || (*walk(pagetable, va, 0) & PTE_W) == 0)
    return 0;
  return (char*)pa + va % PGSIZE;
}

// Copies len bytes from the kernel to user address dstva. The pages of a
// user range may lie anywhere in memory, so it goes page by page.
// Returns 0, or -1 if the user has no such memory.
int
copyout(pagetable_t pagetable, uint64 dstva, char *src, uint64 len)
{
  while(len > 0){
    char *dst = writable(pagetable, dstva);
    if(dst == 0)
      return -1;

    uint64 n = bytesonpage(dstva, len);
    memmove(dst, src, n);
    src += n;
    dstva += n;
    len -= n;
  }
  return 0;
}

// Copies len bytes from user address srcva to the kernel. 0, or -1.
int
copyin(pagetable_t pagetable, char *dst, uint64 srcva, uint64 len)
{
  while(len > 0){
    uint64 pa = walkaddr(pagetable, srcva);
    if(pa == 0)
      return -1;

    uint64 n = bytesonpage(srcva, len);
    memmove(dst, (char*)pa + srcva % PGSIZE, n);
    dst += n;
    srcva += n;
    len -= n;
  }
  return 0;
}

// Copies a string with its final 0 from user address srcva to the kernel.
// Returns 0, or -1 if there is no 0 within max bytes of user memory.
int
copyinstr(pagetable_t pagetable, char *dst, uint64 srcva, uint64 max)
{
  while(max > 0){
    uint64 pa = walkaddr(pagetable, srcva);
    if(pa == 0)
      return -1;

    uint64 n = bytesonpage(srcva, max);
    char *src = (char*)pa + srcva % PGSIZE;
    for(uint64 i = 0; i < n; i++){
      *dst = src[i];
      if(*dst++ == 0)
        return 0;
    }
    srcva += n;
    max -= n;
  }
  return -1;
}
