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
  int readopen;     // is the reading end still open?
  int writeopen;
  uint nread;
  uint nwrite;
  char data[PIPESIZE];
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
  int *mine = writable ? &pi->writeopen : &pi->readopen;

  acquire(&pi->lock);
  *mine = 0;
  // A process waits for the other end, so nobody waits on this side's
  // channel, and waking it does no harm.
  wakeup(&pi->nread);
  wakeup(&pi->nwrite);
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
  struct proc *p = myproc();
  int done = 0, bad = 0;

  acquire(&pi->lock);
  while(done < n && !bad){
    if(!pi->readopen || killed(p)){
      done = -1;
      break;
    }
    if(pi->nwrite - pi->nread < PIPESIZE){
      bad = copyin(p->pagetable, &pi->data[pi->nwrite % PIPESIZE], addr + done, 1) < 0;
      if(!bad){
        pi->nwrite++;
        done++;
      }
    } else {
      wakeup(&pi->nread);
      sleep(&pi->nwrite, &pi->lock);   // then look at everything again
    }
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
  struct proc *p = myproc();
  int got = 0, failed = 0;

  acquire(&pi->lock);
  while(pi->writeopen && pi->nwrite == pi->nread && !failed){
    failed = killed(p);
    if(!failed)
      sleep(&pi->nread, &pi->lock);
  }

  while(!failed && got < n && pi->nwrite != pi->nread){
    char *c = &pi->data[pi->nread % PIPESIZE];
    failed = copyout(p->pagetable, addr + got, c, 1) < 0;
    if(!failed){
      pi->nread++;   // read only when it has arrived
      got++;
    }
  }
  wakeup(&pi->nwrite);
  release(&pi->lock);
  return failed && got == 0 ? -1 : got;
}
