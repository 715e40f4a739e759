// System calls about files: argument checks, and what involves more than
// one file. file.c and fs.c do the work.

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "stat.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "proc.h"
#include "fs.h"
#include "file.h"
#include "fcntl.h"
#include "defs.h"

// The n-th argument as a file descriptor: both the number (unless pfd is 0)
// and the open file (unless pf is 0). 0, or -1 if it is not one.
static int
argfd(int n, int *pfd, struct file **pf)
{
  int fd;

  argint(n, &fd);
  int possible = fd >= 0 && fd < NOFILE;
  struct file *f = possible ? myproc()->ofile[fd] : 0;
  if(pf)
    *pf = f;
  if(pfd)
    *pfd = fd;
  return f ? 0 : -1;
}

// Makes the lowest free descriptor refer to f; takes over the caller's
// reference if that succeeds. The descriptor, or -1.
static int
fdalloc(struct file *f)
{
  struct file **table = myproc()->ofile;
  int fd = 0;

  while(fd < NOFILE && table[fd] != 0)
    fd++;
  if(fd == NOFILE)
    return -1;
  table[fd] = f;
  return fd;
}

uint64
sys_dup(void)
{
  struct file *f;

  if(argfd(0, 0, &f) < 0)
    return -1;
  int copy = fdalloc(f);
  if(copy >= 0)
    filedup(f);
  return copy;
}

// What read(fd, addr, n) and write(fd, addr, n) have in common.
static int
transfer(int (*op)(struct file *f, uint64 addr, int n))
{
  struct file *f;
  uint64 addr;
  int n;

  if(argfd(0, 0, &f) < 0)
    return -1;
  argaddr(1, &addr);
  argint(2, &n);
  return n < 0 ? -1 : op(f, addr, n);
}

uint64
sys_read(void)
{
  return transfer(fileread);
}

uint64
sys_write(void)
{
  return transfer(filewrite);
}

uint64
sys_close(void)
{
  struct file *f;
  int fd;

  int open = argfd(0, &fd, &f) == 0;
  if(open){
    myproc()->ofile[fd] = 0;
    fileclose(f);
  }
  return open ? 0 : -1;
}

uint64
sys_fstat(void)
{
  struct file *f;
  uint64 st;   // user address of a struct stat

  argaddr(1, &st);
  return argfd(0, 0, &f) < 0 ? -1 : filestat(f, st);
}

// Adds one to a file's link count, or -1 to take one away. ip->lock is held.
static void
addlink(struct inode *ip, int n)
{
  ip->nlink += n;
  iupdate(ip);
}

// Enters inode inum under the last element of path. 0, or -1.
static int
linkat(char *path, uint dev, uint inum)
{
  char name[DIRSIZ];
  struct inode *dp = nameiparent(path, name);

  if(dp == 0)
    return -1;
  ilock(dp);
  // A directory without links is being removed; an entry in it would be
  // lost. And an entry's number counts on the entry's own disk.
  int r = -1;
  if(dp->nlink > 0 && dp->dev == dev)
    r = dirlink(dp, name, inum);
  iunlockput(dp);
  return r;
}

// Makes path one more name of ip, which is not locked. 0, or -1.
static int
linkinode(struct inode *ip, char *path)
{
  // Count the new name before it is there: ip must not be locked while we
  // lock a directory, and meanwhile the old name may be removed.
  ilock(ip);
  // A directory would have two parents; and nlink is a short.
  int linkable = ip->type != T_DIR && ip->nlink < MAXLINK;
  if(linkable)
    addlink(ip, 1);
  iunlock(ip);
  if(!linkable)
    return -1;

  int r = linkat(path, ip->dev, ip->inum);
  if(r < 0){
    ilock(ip);
    addlink(ip, -1);
    iunlock(ip);
  }
  return r;
}

// link(old, new): a second name for a file.
uint64
sys_link(void)
{
  char old[MAXPATH], new[MAXPATH];

  if(argstr(0, old, MAXPATH) < 0 || argstr(1, new, MAXPATH) < 0)
    return -1;

  begin_op();
  struct inode *ip = namei(old);
  int r = ip ? linkinode(ip, new) : -1;
  if(ip)
    iput(ip);
  end_op();
  return r;
}

// Has the directory no entries but "." and ".."? dp->lock is held.
static int
isdirempty(struct inode *dp)
{
  struct dirent entry = { 0 };
  uint off = 2 * sizeof(entry);

  for(; off < dp->size && entry.inum == 0; off += sizeof(entry)){
    if(readi(dp, 0, (uint64)&entry, off, sizeof(entry)) < (int)sizeof(entry))
      panic("isdirempty");
  }
  return entry.inum == 0;
}

// Removes entry name of directory dp, which is locked. 0, or -1.
static int
removeentry(struct inode *dp, char *name)
{
  struct dirent none = { 0 };
  uint off;

  if(namecmp(name, ".") == 0 || namecmp(name, "..") == 0)
    return -1;
  struct inode *ip = dirlookup(dp, name, &off);
  if(ip == 0)
    return -1;

  ilock(ip);   // parent before child: the order in which locks are taken
  int isdir = ip->type == T_DIR;
  int removable = !isdir || isdirempty(ip);
  if(removable){
    if(ip->nlink < 1 || writei(dp, 0, (uint64)&none, off, sizeof(none)) != sizeof(none))
      panic("unlink");
    if(isdir)
      addlink(dp, -1);   // its ".." named dp
    addlink(ip, -1);
  }
  iunlockput(ip);        // frees it if it has no name and nobody has it open
  return removable ? 0 : -1;
}

uint64
sys_unlink(void)
{
  char name[DIRSIZ], path[MAXPATH];
  int r = -1;

  if(argstr(0, path, MAXPATH) < 0)
    return -1;

  begin_op();
  struct inode *dp = nameiparent(path, name);
  if(dp){
    ilock(dp);
    r = removeentry(dp, name);
    iunlockput(dp);
  }
  end_op();
  return r;
}

// Makes a new inode an entry of dp; both are locked. 0, or -1.
static int
enter(struct inode *dp, char *name, struct inode *ip)
{
  // A directory without links is being removed.
  if(dp->nlink == 0)
    return -1;
  // "." is not counted in nlink: a directory would never get rid of itself.
  if(ip->type == T_DIR &&
     (dirlink(ip, ".", ip->inum) < 0 || dirlink(ip, "..", dp->inum) < 0))
    return -1;
  if(dirlink(dp, name, ip->inum) < 0)
    return -1;
  if(ip->type == T_DIR)
    addlink(dp, 1);   // for ".."
  return 0;
}

// Makes a file, directory or device; open() may also find an existing file.
// Returns its inode locked, or 0.
static struct inode*
create(char *path, short type, short major, short minor)
{
  char name[DIRSIZ];
  struct inode *dp = nameiparent(path, name);

  if(dp == 0)
    return 0;
  ilock(dp);

  struct inode *old = dirlookup(dp, name, 0);
  struct inode *ip = old ? old : ialloc(dp->dev, type);
  int good = 0;

  if(old){
    iunlockput(dp);
    ilock(ip);
    // open() may find what is there; mkdir() and mknod() may not.
    good = type == T_FILE && ip->type != T_DIR;
  } else {
    if(ip){
      ilock(ip);   // nobody else knows it yet, so this does not wait
      ip->minor = minor;
      ip->major = major;
      addlink(ip, 1);
      good = enter(dp, name, ip) == 0;
      if(!good)
        addlink(ip, -1);   // iput() will free it
    }
    iunlockput(dp);
  }

  if(ip && !good)
    iunlockput(ip);
  return good ? ip : 0;
}

// The inode that open() is about, locked, or 0 if the mode does not fit.
static struct inode*
openinode(char *path, int omode)
{
  if(omode & O_CREATE)
    return create(path, T_FILE, 0, 0);

  struct inode *ip = namei(path);
  if(ip == 0)
    return 0;
  ilock(ip);
  // Only the kernel may write to directories.
  if(ip->type == T_DIR && omode != O_RDONLY){
    iunlockput(ip);
    return 0;
  }
  return ip;
}

uint64
sys_open(void)
{
  char path[MAXPATH];
  int omode;

  argint(1, &omode);
  if(argstr(0, path, MAXPATH) < 0)
    return -1;

  begin_op();
  struct inode *ip = openinode(path, omode);
  if(ip == 0){
    end_op();
    return -1;
  }

  int nodriver = ip->type == T_DEVICE && (ip->major < 0 || ip->major >= NDEV);
  struct file *f = nodriver ? 0 : filealloc();
  int fd = f ? fdalloc(f) : -1;
  if(fd < 0){
    iunlockput(ip);
    end_op();
    if(f)
      fileclose(f);   // no type yet: only gives the entry back
    return -1;
  }

  f->type = ip->type == T_DEVICE ? FD_DEVICE : FD_INODE;
  f->major = ip->major;
  f->off = 0;
  f->ip = ip;
  f->readable = (omode & O_WRONLY) == 0;
  f->writable = (omode & (O_WRONLY | O_RDWR)) != 0;

  if((omode & O_TRUNC) && ip->type == T_FILE)
    itrunc(ip);

  iunlock(ip);   // the reference stays, in f
  end_op();
  return fd;
}

// create() for mkdir and mknod, which do not go on to use the inode.
static int
make(char *path, short type, short major, short minor)
{
  begin_op();
  struct inode *ip = create(path, type, major, minor);
  if(ip)
    iunlockput(ip);
  end_op();
  return ip ? 0 : -1;
}

uint64
sys_mkdir(void)
{
  char path[MAXPATH];

  if(argstr(0, path, MAXPATH) < 0)
    return -1;
  return make(path, T_DIR, 0, 0);
}

uint64
sys_mknod(void)
{
  char path[MAXPATH];
  int major, minor;

  argint(1, &major);
  argint(2, &minor);
  if(argstr(0, path, MAXPATH) < 0)
    return -1;
  return make(path, T_DEVICE, major, minor);
}

uint64
sys_chdir(void)
{
  char path[MAXPATH];
  struct proc *p = myproc();

  if(argstr(0, path, MAXPATH) < 0)
    return -1;

  begin_op();
  struct inode *ip = namei(path);
  if(ip == 0){
    end_op();
    return -1;
  }
  ilock(ip);
  int isdir = ip->type == T_DIR;
  iunlock(ip);

  // Exactly one of the two is no longer needed.
  iput(isdir ? p->cwd : ip);
  end_op();
  if(!isdir)
    return -1;
  p->cwd = ip;
  return 0;
}

// Copies the argument strings of exec() to kernel pages, since the memory
// they are in is about to go. 0, or -1; pages may be there in both cases.
static int
fetchargs(uint64 uargv, char **argv)
{
  for(int i = 0; i < MAXARG; i++){
    uint64 uarg;
    if(fetchaddr(uargv + i*sizeof(uarg), &uarg) < 0)
      return -1;
    if(uarg == 0)
      return 0;
    argv[i] = kalloc();
    if(argv[i] == 0 || fetchstr(uarg, argv[i], PGSIZE) < 0)
      return -1;
  }
  return -1;   // too many
}

uint64
sys_exec(void)
{
  char path[MAXPATH];
  char *argv[MAXARG] = { 0 };
  uint64 uargv;
  int r = -1;

  argaddr(1, &uargv);
  if(argstr(0, path, MAXPATH) < 0)
    return -1;
  if(fetchargs(uargv, argv) == 0)
    r = exec(path, argv);
  for(int i = 0; i < MAXARG && argv[i]; i++)
    kfree(argv[i]);
  return r;
}

// pipe(int fd[2]): fd[0] reads what was written to fd[1].
uint64
sys_pipe(void)
{
  struct proc *p = myproc();
  struct file *end[2];
  uint64 fdarray;
  int fd[2];

  argaddr(0, &fdarray);
  if(pipealloc(&end[0], &end[1]) < 0)
    return -1;

  fd[0] = fdalloc(end[0]);
  fd[1] = fdalloc(end[1]);
  if(fd[0] < 0 || fd[1] < 0 ||
     copyout(p->pagetable, fdarray, (char*)fd, sizeof(fd)) < 0){
    for(int i = 0; i < 2; i++){
      if(fd[i] >= 0)
        p->ofile[fd[i]] = 0;
      fileclose(end[i]);
    }
    return -1;
  }
  return 0;
}

// --- mmap (HW5) ---

// mmap(addr, length, prot, flags, fd, offset): a new anonymous region of
// memory. addr, fd and offset are ignored: the kernel chooses the address.
// Returns the region's first address, or -1.
//
// No memory is allocated here. The first access to each page will fault,
// and usertrap() will give the page a frame then.
uint64
sys_mmap(void)
{
  struct proc *p = myproc();
  struct mmr *m = 0;
  uint64 length;
  int prot, flags;

  argaddr(1, &length);
  argint(2, &prot);
  argint(3, &flags);

  // Task 1a: return -1 if length, prot or flags make no sense.

  // A free entry of the process's table.
  for(int i = 0; i < MAX_MMR && m == 0; i++){
    if(!p->mmr[i].valid)
      m = &p->mmr[i];
  }
  if(m == 0)
    return -1;

  // Task 1a: the region's first address. The region goes just below
  // p->cur_max, and must begin at a page boundary.
  uint64 start = 0;
  if(start == 0)
    return -1;   // (remove this with the line above)

  if(mapvpages(p->pagetable, start, p->cur_max - start) < 0)
    return -1;

  m->mmr_family.listid = -1;
  if(flags & MAP_SHARED){
    // A family with one member.
    m->mmr_family.listid = alloc_mmr_listid();
    if(m->mmr_family.listid < 0)
      return -1;
    m->mmr_family.proc = p;
    m->mmr_family.next = &m->mmr_family;
    m->mmr_family.prev = &m->mmr_family;
  }
  m->addr = start;
  m->length = p->cur_max - start;
  m->prot = prot;
  m->flags = flags;
  m->file = 0;
  m->fd = -1;
  m->valid = 1;
  p->cur_max = start;
  return start;
}

// munmap(addr, length): removes a region. addr must be its first address,
// and length, rounded up to whole pages, its length. 0, or -1.
uint64
sys_munmap(void)
{
  uint64 addr, length;

  argaddr(0, &addr);
  argaddr(1, &length);

  // Task 1a: find the region and remove it. Pages that were never touched
  // have no frame. A family that loses its last member is no more.
  return -1;
}
