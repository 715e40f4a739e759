// exec(): replace a process's memory by a program from a file.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "spinlock.h"
#include "proc.h"
#include "fs.h"
#include "elf.h"
#include "defs.h"

// A new address space in the making.
struct image {
  pagetable_t pagetable;
  uint64 sz;      // bytes so far
  uint64 sp;      // initial stack pointer
  uint64 base;    // the stack must not grow below this
  uint64 entry;   // first instruction
};

static int
flags2perm(uint32 flags)
{
  int perm = 0;   // uvmalloc() adds PTE_R by itself

  if(flags & ELF_PROG_FLAG_EXEC)
    perm |= PTE_X;
  if(flags & ELF_PROG_FLAG_WRITE)
    perm |= PTE_W;
  return perm;
}

// Reads sz bytes of the file at offset to user address va, whose pages
// exist already. 0, or -1 if the file is too short.
static int
loadseg(pagetable_t pagetable, uint64 va, struct inode *ip, uint offset, uint sz)
{
  for(uint i = 0; i < sz; i += PGSIZE){
    uint64 pa = walkaddr(pagetable, va + i);
    if(pa == 0)
      panic("loadseg: page not mapped");
    uint n = sz - i < PGSIZE ? sz - i : PGSIZE;
    // Straight to the physical page: text pages are not writable for
    // copyout(), and the page table is not the current one.
    if(readi(ip, 0, pa, offset + i, n) != n)
      return -1;
  }
  return 0;
}

// Allocates and fills memory for one segment. The numbers are from the
// file, so each of them may be nonsense. 0, or -1.
static int
addsegment(struct image *im, struct inode *ip, struct proghdr *ph)
{
  uint64 end = ph->vaddr + ph->memsz;

  if(ph->memsz < ph->filesz || end < ph->vaddr || ph->vaddr % PGSIZE != 0)
    return -1;
  // Below TRAPFRAME; and no segment may lie below an earlier one's end,
  // as user memory is one piece that only grows here.
  if(end > TRAPFRAME || ph->vaddr < im->sz)
    return -1;

  uint64 sz = uvmalloc(im->pagetable, im->sz, end, flags2perm(ph->flags));
  if(sz == 0)
    return -1;
  im->sz = sz;
  return loadseg(im->pagetable, ph->vaddr, ip, ph->off, ph->filesz);
}

// Reads the program in ip (which is locked) into im. 0, or -1.
static int
loadprogram(struct image *im, struct inode *ip)
{
  struct elfhdr elf;
  struct proghdr ph;

  if(readi(ip, 0, (uint64)&elf, 0, sizeof(elf)) != sizeof(elf))
    return -1;
  if(elf.magic != ELF_MAGIC)
    return -1;

  for(int i = 0; i < elf.phnum; i++){
    uint off = elf.phoff + i * sizeof(ph);
    if(readi(ip, 0, (uint64)&ph, off, sizeof(ph)) != sizeof(ph))
      return -1;
    if(ph.type == ELF_PROG_LOAD && ph.memsz > 0 && addsegment(im, ip, &ph) < 0)
      return -1;
  }
  im->entry = elf.entry;
  return 0;
}

// Adds the stack above the program, with a page below it that user mode
// cannot touch: a stack that overflows faults. 0, or -1.
static int
addstack(struct image *im)
{
  uint64 guard = PGROUNDUP(im->sz);
  uint64 sz = uvmalloc(im->pagetable, guard, guard + (1 + USERSTACK)*PGSIZE, PTE_W);

  if(sz == 0)
    return -1;
  uvmclear(im->pagetable, guard);
  im->sz = sz;
  im->sp = sz;
  im->base = guard + PGSIZE;
  return 0;
}

// Puts n bytes on the stack. 0, or -1 if they do not fit.
static int
push(struct image *im, void *src, uint64 n)
{
  uint64 sp = im->sp - n;

  sp -= sp % 16;   // the RISC-V ABI wants sp to be a multiple of 16
  if(sp < im->base)
    return -1;
  im->sp = sp;
  return copyout(im->pagetable, sp, src, n);
}

// Puts the argument strings on the stack, then the array that points to
// them, ending in 0. Returns argc, or -1.
static int
pushargs(struct image *im, char **argv)
{
  uint64 ustack[MAXARG + 1];
  int argc = 0;

  for(; argv[argc]; argc++){
    if(argc >= MAXARG || push(im, argv[argc], strlen(argv[argc]) + 1) < 0)
      return -1;
    ustack[argc] = im->sp;
  }
  ustack[argc] = 0;
  if(push(im, ustack, (argc + 1) * sizeof(uint64)) < 0)
    return -1;
  return argc;
}

// Opens the program at path and loads it. 0, or -1.
static int
loadpath(struct image *im, char *path)
{
  begin_op();
  struct inode *ip = namei(path);
  if(ip == 0){
    end_op();
    return -1;
  }
  ilock(ip);
  int r = loadprogram(im, ip);
  iunlockput(ip);
  end_op();
  return r;
}

// For messages: the last part of the path.
static void
setname(struct proc *p, char *path)
{
  char *last = path;

  for(char *s = path; *s; s++){
    if(*s == '/')
      last = s + 1;
  }
  safestrcpy(p->name, last, sizeof(p->name));
}

// Replaces the current process's memory. Returns argc, which becomes the
// first argument of the program's main(); or -1, and then the process goes
// on as before: the old memory is kept until nothing can go wrong any more.
int
exec(char *path, char **argv)
{
  struct proc *p = myproc();
  struct image im = { 0 };
  int argc = -1;

  im.pagetable = proc_pagetable(p);
  if(im.pagetable == 0)
    return -1;
  if(loadpath(&im, path) == 0 && addstack(&im) == 0)
    argc = pushargs(&im, argv);
  if(argc < 0){
    proc_freepagetable(im.pagetable, im.sz);
    return -1;
  }

  setname(p, path);

  pagetable_t oldpagetable = p->pagetable;
  uint64 oldsz = p->sz;
  p->pagetable = im.pagetable;
  p->sz = im.sz;
  p->trapframe->epc = im.entry;
  p->trapframe->sp = im.sp;
  p->trapframe->a1 = im.sp;   // main()'s second argument: the array
  proc_freepagetable(oldpagetable, oldsz);

  return argc;   // becomes a0, main()'s first argument
}
