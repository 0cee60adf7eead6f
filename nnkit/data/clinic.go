package data

import (
	"math"

	"github.com/seed5607215b/nnkit/nnkit/internal/random"
	"github.com/seed5607215b/nnkit/nnkit/internal/simd"
)

// Clinic invents 768 visitors of a clinic: eight things measured at a check-up, and whether a metabolic disease was
// found within the next five years. The people, the numbers and the rule are made up; nothing here is medical knowledge,
// and no real person's data is in it.
//
// The rule is not linear. Risk rises with glucose, and with weight where it is above the mean; exercise protects those
// who weigh much, and hardly anyone else; both short and long sleep do harm; a family history counts more for the young;
// blood pressure and pulse say nothing by themselves. About a third fall ill. Chance has the last word, so that even who
// knows the rule is right for nine people in ten only; a single layer reaches about 82 %.
//
// The same seed invents the same people.
func Clinic(seed int) *Dataset {
	d, _ := clinic(seed)
	return d
}

// clinic also returns each person's probability to fall ill.
func clinic(seed int) (*Dataset, []float64) {
	const n = 768
	probability := make([]float64, n)
	d := &Dataset{
		Name: "Clinic (invented)",
		Features: []Feature{
			{Name: "age", Unit: "years", About: "Age at the check-up, 21 to 80."},
			{Name: "bmi", Unit: "kg/m²", About: "Body mass index: weight over height squared."},
			{Name: "glucose", Unit: "mg/dL", About: "Blood sugar before breakfast."},
			{Name: "pressure", Unit: "mmHg", About: "Diastolic blood pressure."},
			{Name: "pulse", Unit: "beats/min", About: "Heart rate at rest."},
			{Name: "exercise", Unit: "h/week", About: "Hours of exercise in a week."},
			{Name: "sleep", Unit: "h/night", About: "Hours of sleep in a night."},
			{Name: "family", About: "Close relatives who have the disease, 0 to 3."},
		},
		Target: Feature{Name: "ill", About: "1 if the disease was found within five years, else 0."},
		X:      make([][]float64, n),
		Y:      make([]float64, n),
	}
	column := func(i int) random.Stream {
		return random.Stream{Seed: uint64(int64(seed)), Purpose: random.Data, Index: uint32(i)}
	}
	for i := range n {
		// Standard scores first, some of which go together; the products are converted so that they are never fused.
		age := 2*column(0).Uniform(i) - 1
		bmi := column(1).Normal(i)
		glucose := float64(0.3*bmi) + float64(0.3*age) + float64(0.9*column(2).Normal(i))
		pressure := float64(0.4*bmi) + float64(0.3*age) + float64(0.85*column(3).Normal(i))
		active := column(5).Uniform(i)
		pulse := float64(0.9*column(4).Normal(i)) - float64(1.2*(active-0.5))
		sleep := column(6).Normal(i)
		relatives := 0.0
		switch u := column(7).Uniform(i); {
		case u > 0.97:
			relatives = 3
		case u > 0.85:
			relatives = 2
		case u > 0.55:
			relatives = 1
		}

		heavy := math.Max(0, bmi)
		risk := -2.75 +
			float64(2*glucose) +
			float64(2.4*heavy) -
			float64(4*float64(heavy*active)) +
			float64(0.9*float64(sleep*sleep)) +
			float64(relatives*(1-float64(0.6*age)))
		probability[i] = 1 / (1 + simd.Exp64(-2*risk))
		if column(8).Uniform(i) < probability[i] {
			d.Y[i] = 1
		}

		d.X[i] = []float64{
			round(50+float64(29*age), 1),
			round(limit(27+float64(4.6*bmi), 16, 50), 10),
			round(limit(102+float64(17*glucose), 60, 200), 1),
			round(limit(76+float64(10*pressure), 45, 120), 1),
			round(limit(70+float64(9*pulse), 45, 110), 1),
			round(float64(8*active), 10),
			round(limit(7.2+float64(1.1*sleep), 3, 12), 10),
			relatives,
		}
	}
	return d, probability
}

func limit(v, least, most float64) float64 { return math.Min(math.Max(v, least), most) }

// round keeps what an instrument would show: parts of 1/parts.
func round(v, parts float64) float64 { return math.Round(v*parts) / parts }
