// Random system calls for the soak: `grind ROUNDS SEED`. Two children with
// seeds of their own do whatever their numbers say, in a folder of their own,
// and must still be able to do it at the end; nothing may pile up meanwhile.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"

static uint seed;
static char block[1024];

static uint
random(uint n)
{
  seed = seed*1664525 + 1013904223;
  return (seed >> 8) % n;
}

// A name of one letter.
static char *
name(void)
{
  static char letter[2];

  letter[0] = 'a' + random(6);
  return letter;
}

static void
child(void)
{
  char *argv[] = { "echo", 0 };
  int fds[2];

  int pid = fork();
  if(pid < 0)
    return;
  if(pid == 0){
    switch(random(4)){
    case 0:
      close(1);
      exec("/echo", argv);
      exit(1);
    case 1:
      kill(getpid());
      exit(1);
    case 2:
      *(volatile int*)0x3fffff0000 = 1;   // must not get past this
      exit(1);
    default:
      if(pipe(fds) == 0){
        write(fds[1], block, 1 + random(499));
        read(fds[0], block, 1);
      }
      exit(0);
    }
  }
  if(random(3) == 0)
    kill(pid);
  wait(0);
}

static void
step(void)
{
  int fd, fds[2];
  char *old;

  switch(random(12)){
  case 0:
    if((fd = open(name(), O_CREATE|O_RDWR)) >= 0){
      write(fd, block, random(sizeof block));
      close(fd);
    }
    break;
  case 1:
    if((fd = open(name(), O_RDONLY)) >= 0){
      read(fd, block, random(sizeof block));
      close(fd);
    }
    break;
  case 2:
    unlink(name());
    break;
  case 3:
    if((fd = open(name(), O_CREATE|O_RDWR|O_TRUNC)) >= 0){
      for(int i = random(12); i > 0; i--)
        write(fd, block, sizeof block);
      close(fd);
    }
    break;
  case 4:
    if(mkdir("d") == 0){
      if(chdir("d") == 0){
        close(open(name(), O_CREATE|O_RDWR));
        unlink("a");
        chdir("..");
      }
    } else {
      for(char c = 'a'; c < 'g'; c++){
        char path[] = { 'd', '/', c, 0 };
        unlink(path);
      }
      unlink("d");
    }
    break;
  case 5:
    old = name();
    link(old, "l");
    unlink("l");
    break;
  case 6:
    if((old = sbrk(0)) < (char*)(4*1024*1024)){
      char *more = sbrk(random(64*1024));
      if(more != (char*)-1 && sbrk(0) > more)
        sbrk(0)[-1] = 1;
      sbrk(-(int)(sbrk(0) - old));
    }
    break;
  case 7:
    if(pipe(fds) == 0){
      write(fds[1], block, random(500));
      close(fds[1]);
      while(read(fds[0], block, 64) > 0)
        ;
      close(fds[0]);
    }
    break;
  case 8:
    close(dup(0));
    break;
  case 9:
    for(int i = random(20000); i > 0; i--)
      block[i % sizeof block] ^= i;
    break;
  default:
    child();
  }
}

static void
grind(int rounds, char *folder)
{
  mkdir(folder);
  if(chdir(folder) < 0){
    printf("grind: no folder %s\n", folder);
    exit(1);
  }
  while(rounds-- > 0)
    step();
  for(char c = 'a'; c < 'g'; c++){
    char path[] = { c, 0 }, inner[] = { 'd', '/', c, 0 };
    unlink(path);
    unlink(inner);
  }
  unlink("d");
  chdir("..");
  if(unlink(folder) < 0){
    printf("grind: %s is not empty\n", folder);
    exit(1);
  }
  exit(0);
}

int
main(int argc, char **argv)
{
  char *folders[] = { "ga", "gb" };
  int status, bad = 0;

  if(argc != 3){
    printf("usage: grind ROUNDS SEED\n");
    exit(1);
  }
  for(int i = 0; i < 2; i++){
    if(fork() == 0){
      seed = atoi(argv[2]) + 1000*i;
      grind(atoi(argv[1]), folders[i]);
    }
  }
  while(wait(&status) >= 0)
    bad += status != 0;
  printf(bad ? "grind FAILED\n" : "grind OK\n");
  exit(bad);
}
