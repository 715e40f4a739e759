// Small concurrent workloads, each with an answer of its own.
#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static void bad(char *s, int n) { printf("BAD %s %d\n", s, n); exit(1); }

static int spawn(void) { int pid = fork(); if(pid < 0) bad("fork", pid); return pid; }

static void pids(void) {
  int fd[2], seen[64], n = 0, pid;
  if(pipe(fd) < 0) bad("pipe", 0);
  for(int i = 0; i < 3; i++)
    if(spawn() == 0){
      for(int j = 0; j < 3; j++)
        if(spawn() == 0){ pid = getpid(); write(fd[1], &pid, 4); exit(7); }
      for(int j = 0; j < 3; j++){ int st = 0; if(wait(&st) < 0 || st != 7) bad("status", st); }
      pid = getpid(); write(fd[1], &pid, 4);
      exit(0);
    }
  close(fd[1]);
  for(int i = 0; i < 3; i++){ int st = 1; if(wait(&st) < 0 || st != 0) bad("child", st); }
  while(read(fd[0], &pid, 4) == 4){
    for(int i = 0; i < n; i++) if(seen[i] == pid) bad("pid twice", pid);
    seen[n++] = pid;
  }
  if(n != 12) bad("pids", n);
  close(fd[0]);
}

static void pipes(void) {
  int fd[2], rd[2];
  if(pipe(fd) < 0 || pipe(rd) < 0) bad("pipe", 0);
  for(int w = 0; w < 2; w++)
    if(spawn() == 0){
      close(fd[0]);
      for(int i = 1; i <= 40; i++){ char c = i; if(write(fd[1], &c, 1) != 1) bad("write", i); }
      exit(0);
    }
  for(int r = 0; r < 2; r++)
    if(spawn() == 0){
      int sum = 0; char c;
      close(fd[1]);
      while(read(fd[0], &c, 1) == 1) sum += c;
      write(rd[1], &sum, 4);
      exit(0);
    }
  close(fd[0]); close(fd[1]); close(rd[1]);
  int total = 0, s;
  while(read(rd[0], &s, 4) == 4) total += s;
  close(rd[0]);
  for(int i = 0; i < 4; i++) wait(0);
  if(total != 2 * 820) bad("sum", total);
}

static void pingpong(void) {
  int a[2], b[2]; char c = 0;
  if(pipe(a) < 0 || pipe(b) < 0) bad("pipe", 0);
  if(spawn() == 0){
    close(a[1]); close(b[0]);
    while(read(a[0], &c, 1) == 1){ c++; write(b[1], &c, 1); }
    exit(0);
  }
  close(a[0]); close(b[1]);
  for(int i = 0; i < 40; i++){ char d; write(a[1], &c, 1); if(read(b[0], &d, 1) != 1 || d != (char)(c + 1)) bad("pong", i); c = d; }
  close(a[1]); close(b[0]);
  wait(0);
}

static void exits(void) {
  for(int round = 0; round < 4; round++){
    int sum = 0;
    for(int i = 0; i < 4; i++) if(spawn() == 0) exit(i + 1);
    for(int i = 0; i < 4; i++){ int st = 0; if(wait(&st) < 0) bad("wait", i); sum += st; }
    if(sum != 10) bad("exits", sum);
  }
}

static void mem(void) {
  for(int k = 0; k < 3; k++)
    if(spawn() == 0){
      int me = getpid();
      for(int round = 0; round < 4; round++){
        char *p = sbrk(4 * 4096);
        if(p == (char*)-1) bad("sbrk", 0);
        for(int i = 0; i < 4; i++) for(int j = 0; j < 4096; j += 512) *(int*)(p + i * 4096 + j) = me;
        for(int i = 0; i < 4; i++) for(int j = 0; j < 4096; j += 512) if(*(int*)(p + i * 4096 + j) != me) bad("mem", i);
        sbrk(-4 * 4096);
      }
      exit(0);
    }
  for(int k = 0; k < 3; k++){ int st = 1; if(wait(&st) < 0 || st != 0) bad("mem child", st); }
}

static void dups(void) {
  int fd[2];
  for(int round = 0; round < 2; round++){
    if(pipe(fd) < 0) bad("pipe", 0);
    for(int k = 0; k < 3; k++)
      if(spawn() == 0){
        for(int i = 0; i < 12; i++){ int d = dup(fd[1]); if(d < 0) bad("dup", d); close(d); }
        exit(0);
      }
    close(fd[1]);
    char c;
    if(read(fd[0], &c, 1) != 0) bad("eof", 0);   // only when all writers are gone
    for(int k = 0; k < 3; k++){ int st = 1; if(wait(&st) < 0 || st != 0) bad("dup child", st); }
    close(fd[0]);
  }
  // No open file may be lost: NFILE is 100.
}

static void kills(void) {
  for(int round = 0; round < 4; round++){
    int fd[2], pid; char c;
    if(pipe(fd) < 0) bad("pipe", 0);
    if((pid = spawn()) == 0){ read(fd[0], &c, 1); for(;;) getpid(); }
    if(round & 1) for(int i = 0; i < 30; i++) getpid();
    if(kill(pid) < 0) bad("kill", pid);
    int st = 0;
    if(wait(&st) != pid || st != -1) bad("killed", st);
    close(fd[0]); close(fd[1]);
  }
}

static void ticks(void) {
  for(int k = 0; k < 3; k++)
    if(spawn() == 0){ int last = uptime(); for(int i = 0; i < 60; i++){ int t = uptime(); if(t < last) bad("uptime", t); last = t; } sleep(1); if(uptime() == last) bad("sleep", last); exit(0); }
  for(int k = 0; k < 3; k++){ int st = 1; if(wait(&st) < 0 || st != 0) bad("ticks child", st); }
}

static void cwds(void) {
  for(int k = 0; k < 3; k++)
    if(spawn() == 0){ for(int i = 0; i < 3; i++){ int fd = open("README", 0); char c; if(fd < 0 || read(fd, &c, 1) != 1) bad("open", fd); close(fd); } exit(0); }
  for(int k = 0; k < 3; k++){ int st = 1; if(wait(&st) < 0 || st != 0) bad("cwd child", st); }
}

// FAMILY: of the lab whose kernel this is.

struct { char *name; void (*f)(void); } all[] = {
  {"pids", pids}, {"pipes", pipes}, {"pingpong", pingpong}, {"exits", exits}, {"mem", mem}, {"dups", dups}, {"kills", kills}, {"ticks", ticks}, {"cwds", cwds}, {"family", family},
};

int main(int argc, char *argv[]) {
  for(int i = 0; i < sizeof(all) / sizeof(all[0]); i++){
    int want = argc < 2;
    for(int k = 1; k < argc; k++) if(strcmp(argv[k], all[i].name) == 0) want = 1;
    if(want) all[i].f();
  }
  printf("racer OK\n");
  exit(0);
}
