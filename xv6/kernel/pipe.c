// Pipes: a ring of bytes between two file descriptors.

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "fs.h"
#include "file.h"
#include "proc.h"
#include "defs.h"

#define PIPESIZE 512

// The counters only grow (and wrap around together): empty if they are
// equal, full if they differ by PIPESIZE.
struct pipe {
  struct spinlock lock;
  char data[PIPESIZE];
  uint nread;
  uint nwrite;
  int readopen;     // is the reading end still open?
  int writeopen;
};

static struct pipe*
newpipe(void)
{
  struct pipe *pi = kalloc();

  if(pi){
    initlock(&pi->lock, "pipe");
    pi->nread = 0;
    pi->nwrite = 0;
    pi->readopen = 1;
    pi->writeopen = 1;
  }
  return pi;
}

static void
setend(struct file *f, struct pipe *pi, int writes)
{
  f->type = FD_PIPE;
  f->readable = !writes;
  f->writable = writes;
  f->pipe = pi;
}

// Makes a pipe with an open file for each end. 0, or -1.
int
pipealloc(struct file **f0, struct file **f1)
{
  struct file *rf = filealloc();
  struct file *wf = filealloc();
  struct pipe *pi = newpipe();

  if(rf == 0 || wf == 0 || pi == 0){
    // The files have no type yet, so closing them only gives them back.
    if(rf)
      fileclose(rf);
    if(wf)
      fileclose(wf);
    if(pi)
      kfree(pi);
    return -1;
  }

  setend(rf, pi, 0);
  setend(wf, pi, 1);
  *f0 = rf;
  *f1 = wf;
  return 0;
}

// Closes one end, and wakes those who would wait for it in vain.
void
pipeclose(struct pipe *pi, int writable)
{
  acquire(&pi->lock);
  if(writable){
    pi->writeopen = 0;
    wakeup(&pi->nread);
  } else {
    pi->readopen = 0;
    wakeup(&pi->nwrite);
  }
  int unused = !pi->readopen && !pi->writeopen;
  release(&pi->lock);

  if(unused)
    kfree(pi);
}

// Writes n bytes, sleeping whenever the pipe is full. Returns how many it
// wrote: fewer than n if addr turns bad; -1 if nobody will read them.
int
pipewrite(struct pipe *pi, uint64 addr, int n)
{
  struct proc *pr = myproc();
  int done = 0;

  acquire(&pi->lock);
  while(done < n){
    if(!pi->readopen || killed(pr)){
      release(&pi->lock);
      return -1;
    }
    if(pi->nwrite == pi->nread + PIPESIZE){
      wakeup(&pi->nread);
      sleep(&pi->nwrite, &pi->lock);
      continue;   // and look again at everything above
    }

    char c;
    if(copyin(pr->pagetable, &c, addr + done, 1) == -1)
      break;
    pi->data[pi->nwrite++ % PIPESIZE] = c;
    done++;
  }
  wakeup(&pi->nread);
  release(&pi->lock);
  return done;
}

// Reads what there is, at most n bytes, sleeping only if there is nothing.
// Returns how many; 0 at the end: empty, and the writing end is closed.
int
piperead(struct pipe *pi, uint64 addr, int n)
{
  struct proc *pr = myproc();
  int got = 0;

  acquire(&pi->lock);
  while(pi->nread == pi->nwrite && pi->writeopen){
    if(killed(pr)){
      release(&pi->lock);
      return -1;
    }
    sleep(&pi->nread, &pi->lock);
  }

  for(; got < n && pi->nread != pi->nwrite; got++){
    char c = pi->data[pi->nread % PIPESIZE];
    // Counted as read only when it has arrived.
    if(copyout(pr->pagetable, addr + got, &c, 1) == -1){
      if(got == 0)
        got = -1;
      break;
    }
    pi->nread++;
  }
  wakeup(&pi->nwrite);
  release(&pi->lock);
  return got;
}
