package host

import "unsafe"

// How the types of a library become those in use.
//
// Two libraries may have a descriptor each of the same type. The runtime keeps for
// every module which descriptor stands for one of its own: moduledata.typemap, by
// the offset of its own. It makes these maps (runtime.typelinksinit) from all types
// of all modules, each time anew, which takes twenty times as long as the rest of
// loading a cell where gonum/plot is there. So they are made here, from a table of
// all types that grows with each module.

// typeTable knows the types of the modules that it was told of.
type typeTable struct {
	equal  func(a, b unsafe.Pointer, seen map[[2]unsafe.Pointer]struct{}) bool // runtime.typesEqual
	module struct{ types, typelinks, typemap uintptr }                         // offsets in a module

	byHash map[uint32][]unsafe.Pointer
	maps   []typeMap // the collector does not see them in a module
}

// typeMap has the layout and the hash of map[runtime.typeOff]*runtime._type.
type typeMap map[int32]unsafe.Pointer

// add tells of a module, and returns the descriptors in use for its types.
func (t *typeTable) add(module unsafe.Pointer) typeMap {
	types := *(*unsafe.Pointer)(unsafe.Add(module, t.module.types))
	links := *(*[]int32)(unsafe.Add(module, t.module.typelinks))
	known := *(*typeMap)(unsafe.Add(module, t.module.typemap)) // nil if it was not made, or all are its own
	m := make(typeMap, len(links))
	for _, offset := range links {
		descriptor, ok := known[offset]
		if !ok {
			descriptor = unsafe.Add(types, offset)
		}
		m[offset] = t.inUse(descriptor)
	}
	return m
}

// addNew tells of a module that the runtime has no map for. None of its code may
// have run.
func (t *typeTable) addNew(module unsafe.Pointer) {
	m := t.add(module)
	t.maps = append(t.maps, m)
	*(*typeMap)(unsafe.Add(module, t.module.typemap)) = m
}

// inUse returns the descriptor that stands for a type: the first one that came.
func (t *typeTable) inUse(descriptor unsafe.Pointer) unsafe.Pointer {
	const hash = 2 * unsafe.Sizeof(uintptr(0)) // of the field in internal/abi.Type
	h := *(*uint32)(unsafe.Add(descriptor, hash))
	for _, other := range t.byHash[h] {
		if other == descriptor || t.equal(descriptor, other, map[[2]unsafe.Pointer]struct{}{}) {
			return other
		}
	}
	t.byHash[h] = append(t.byHash[h], descriptor)
	return descriptor
}
