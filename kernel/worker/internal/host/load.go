//go:build linux && amd64 && cgo

package host

// How a library becomes part of the running program.
//
// The dynamic linker binds what a library refers to and defines. Then the Go
// runtime has to learn of it, as plugin.Open would make it, but that asks for
// what only plugins have. So the steps are done here, by the runtime's own
// functions, found by their names in the library that holds the runtime. (With
// linknames instead, this package would build only with -checklinkname=0.) Which
// types are the same is found in types.go.
//
// Two things need more than the runtime does:
//
// Method tables. The table for a pair of interface and concrete type is made at
// run time where a conversion needs it (x.(Stringer)), and is brought by a library
// whose compiler saw the conversion. Comparing interfaces, and assertions to a
// concrete type, compare pointers to tables. So there may be only one table for a
// pair: if there is one already, the library's pointers are redirected to it.
//
// The order of modules. The runtime searches its list of modules from the front
// for every frame of a stack it grows, scans or prints, and appends new ones.
// Code of new cells is what runs, so a new module is moved to the front.

/*
#cgo LDFLAGS: -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *open_library(const char *file, uintptr_t *base, char **err) {
	void *h = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
	struct link_map *m = 0;
	if (h == 0 || dlinfo(h, RTLD_DI_LINKMAP, &m) != 0) {
		*err = dlerror();
		return 0;
	}
	*base = m->l_addr;
	return h;
}

static const char *library_of(uintptr_t p, uintptr_t *base) {
	Dl_info info;
	if (dladdr((void *)p, &info) == 0)
		return 0;
	*base = (uintptr_t)info.dli_fbase;
	return info.dli_fname;
}

static void *find_symbol(void *library, const char *name) { return dlsym(library, name); }

static void flush(void) { fflush(NULL); }

static void buffer_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

static void *wait_for_end(void *fd) {
	struct pollfd p = {.fd = (int)(intptr_t)fd, .events = 0};
	while (poll(&p, 1, -1) < 0 || !(p.revents & (POLLHUP | POLLERR | POLLNVAL)))
		;
	kill(0, SIGKILL);
	return 0;
}

// die_with kills the process group when the other end of a pipe is gone. It
// needs no Go, so that it works when a cell has brought the scheduler to a halt.
static int die_with(int fd) {
	pthread_t t;
	pthread_attr_t attr;
	sigset_t all, old;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int err = pthread_create(&t, &attr, wait_for_end, (void *)(intptr_t)fd);
	pthread_sigmask(SIG_SETMASK, &old, 0);
	return err;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"syscall"
	"unsafe"

	"github.com/seed5607215b/nnkit/kernel/internal/wire"
)

// goRuntime is what the loader uses of the Go runtime.
type goRuntime struct {
	modulesinit       func()
	moduledataverify1 func(module unsafe.Pointer)
	itabsinit         func()
	getitab           func(inter, typ unsafe.Pointer, canfail bool) *itab
	doInit            func(tasks []unsafe.Pointer)

	first, last     *unsafe.Pointer // the list of modules: firstmoduledata.next, lastmoduledatap
	inittasks, next uintptr         // offsets in a module
	types           *typeTable
}

// itab is the head of a method table, as in internal/abi.
type itab struct {
	inter, typ unsafe.Pointer
	hash       uint32
}

// findRuntime finds the runtime's functions and data.
func findRuntime() (r *goRuntime, err error) {
	symbol := func(name string) unsafe.Pointer {
		p := lookup(nil, name)
		if p == nil {
			err = errors.Join(err, fmt.Errorf("this Go runtime has no symbol %s", name))
		}
		return p
	}
	r = &goRuntime{
		modulesinit:       function[func()](symbol("runtime.modulesinit.abiinternal")),
		moduledataverify1: function[func(unsafe.Pointer)](symbol("runtime.moduledataverify1.abiinternal")),
		itabsinit:         function[func()](symbol("runtime.itabsinit.abiinternal")),
		getitab:           function[func(_, _ unsafe.Pointer, _ bool) *itab](symbol("runtime.getitab.abiinternal")),
		doInit:            function[func([]unsafe.Pointer)](symbol("runtime.doInit.abiinternal")),
		last:              (*unsafe.Pointer)(symbol("runtime.lastmoduledatap")),
		types:             &typeTable{byHash: map[uint32][]unsafe.Pointer{}},
	}
	r.types.equal = function[func(_, _ unsafe.Pointer, _ map[[2]unsafe.Pointer]struct{}) bool](symbol("runtime.typesEqual.abiinternal"))
	first, typ := symbol("runtime.firstmoduledata"), symbol("type:runtime.moduledata")
	frame := symbol("runtime.methodValueCallFrameObjs")
	if err != nil {
		return nil, err
	}
	moduledata := typeAt(typ)
	field := func(name string) uintptr {
		f, ok := moduledata.FieldByName(name)
		if !ok {
			err = errors.Join(err, fmt.Errorf("this Go runtime's moduledata has no field %s", name))
		}
		return f.Offset
	}
	r.inittasks, r.next = field("inittasks"), field("next")
	of := &r.types.module
	of.types, of.typelinks, of.typemap = field("types"), field("typelinks"), field("typemap")
	rodata := field("rodata")
	if err != nil {
		return nil, err
	}
	r.first = (*unsafe.Pointer)(unsafe.Add(first, r.next))
	return r, mendMethodValues((*stackObject)(frame), *(*uintptr)(unsafe.Add(first, rodata)))
}

// stackObject is runtime.stackObjectRecord.
type stackObject struct {
	off, size, ptrBytes int32
	gcdataoff           uint32 // of the pointer mask, from the module's rodata
}

// regArgs has the layout of internal/abi.RegArgs, and so the same pointer mask.
type regArgs struct {
	ints   [9]uintptr
	floats [15]uint64
	ptrs   [9]unsafe.Pointer
	bits   [2]uint8
}

// mendMethodValues corrects where the collector finds the pointers among the
// arguments of a method value and of what reflect.MakeFunc makes. In a program
// whose runtime is in a shared library, the linker gives the runtime a wrong
// address of that mask (it folds the masks into one symbol, with an addend that
// is lost), and objects in use are freed.
func mendMethodValues(frame *stackObject, rodata uintptr) error {
	t := reflect.TypeFor[regArgs]()
	const pointers = unsafe.Offsetof(regArgs{}.ptrs) + unsafe.Sizeof(regArgs{}.ptrs)
	if uintptr(frame.size) != t.Size() || uintptr(frame.ptrBytes) != pointers {
		return fmt.Errorf("this Go runtime's register arguments have another layout (%d bytes, expected %d)", frame.size, t.Size())
	}
	type rtype struct { // the head of internal/abi.Type
		size, ptrBytes uintptr
		_              [8]byte // hash, flags, alignment, kind
		equal          unsafe.Pointer
		gcData         unsafe.Pointer
	}
	mask := (*rtype)((*[2]unsafe.Pointer)(unsafe.Pointer(&t))[1]).gcData
	frame.gcdataoff = uint32(uintptr(mask) - rodata)
	return nil
}

// prepare learns which types there are before any library is loaded. It takes a
// few milliseconds.
func (r *goRuntime) prepare() {
	for m := unsafe.Add(unsafe.Pointer(r.first), -int(r.next)); m != nil; m = *(*unsafe.Pointer)(unsafe.Add(m, r.next)) {
		r.types.add(m)
	}
}

// load opens a library and makes the runtime know it. It returns the handle by
// which the library's symbols are looked up.
func (r *goRuntime) load(lib wire.Library) (unsafe.Pointer, error) {
	file := C.CString(lib.File)
	defer C.free(unsafe.Pointer(file))
	var base C.uintptr_t
	var message *C.char
	before := *r.last
	handle := C.open_library(file, &base, &message)
	if handle == nil {
		return nil, errors.New(C.GoString(message))
	}
	module := *r.last // the library's initialiser has appended its module
	if module == before {
		return nil, fmt.Errorf("%s holds no Go code, or is loaded already", lib.File)
	}
	r.modulesinit()
	r.types.addNew(module)
	r.moduledataverify1(module)
	r.itabsinit() // before the redirection: a table that is alone stays
	for _, offset := range lib.Itabs {
		r.redirect((**itab)(unsafe.Add(pointer(uintptr(base)), offset)))
	}
	r.toFront(before, module)
	r.doInit(*(*[]unsafe.Pointer)(unsafe.Add(module, r.inittasks)))
	return handle, nil
}

// redirect makes a library's word point to the method table that is in use for
// the same types.
func (r *goRuntime) redirect(word **itab) {
	own := *word
	if tab := r.getitab(own.inter, own.typ, true); tab != nil && tab != own {
		// What the runtime makes has no hash, which type switches need.
		tab.hash = own.hash
		*word = tab
	}
}

// toFront moves the last module of the runtime's list behind the first one.
// Others may walk the list meanwhile: each store leaves them a way that visits
// every module, and no code of the new one has run yet.
func (r *goRuntime) toFront(previous, module unsafe.Pointer) {
	next := func(m unsafe.Pointer) *unsafe.Pointer { return (*unsafe.Pointer)(unsafe.Add(m, r.next)) }
	if *r.first == module {
		return
	}
	*next(module) = *r.first
	*r.first = module
	*next(previous) = nil
	*r.last = previous
}

// pointer is for addresses that no Go object can have.
func pointer(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// lookup finds a symbol in a library, or anywhere if library is nil.
func lookup(library unsafe.Pointer, name string) unsafe.Pointer {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	return C.find_symbol(library, s)
}

// libraryOf finds the file that an address was loaded from, "" for none, and where.
func libraryOf(p unsafe.Pointer) (file string, base uintptr) {
	var at C.uintptr_t
	name := C.library_of(C.uintptr_t(uintptr(p)), &at)
	if name == nil {
		return "", 0
	}
	return C.GoString(name), uintptr(at)
}

// function makes a func value of type F from a function's address.
func function[F any](code unsafe.Pointer) F {
	closure := &code
	return *(*F)(unsafe.Pointer(&closure))
}

// typeAt makes a reflect.Type from the address of a type descriptor.
func typeAt(descriptor unsafe.Pointer) reflect.Type {
	var v any
	*(*unsafe.Pointer)(unsafe.Pointer(&v)) = descriptor
	return reflect.TypeOf(v)
}

// flush writes out what C code has printed by its stdio.
func flush() { C.flush() }

// bufferLines makes C's stdio write each line out when it is printed, as to a
// terminal, so that it comes where it belongs among what Go prints.
func bufferLines() { C.buffer_lines() }

// dieWith ends the process, and those that it has started, when the other end of
// a pipe is closed.
func dieWith(fd int) error {
	if e := C.die_with(C.int(fd)); e != 0 {
		return syscall.Errno(e)
	}
	return nil
}
